//! `--format`: a table, JSON, or a template in Go's language, over rows that are JSON objects with docker's keys.

use std::str::FromStr;

use gtmpl::{Context, FuncError, Template, Value};
use serde_json::Map;

use super::table::Table;

/// One line of an answer: what `json` prints, and what a template reads.
pub type Row = Map<String, serde_json::Value>;

/// What `--format` asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Form {
    /// The command's own columns.
    #[default]
    Table,
    /// One object a line.
    Json,
    /// Columns that a template names: `table {{.Name}}\t{{.Status}}`.
    Columns(String),
    /// A line a row, by a template: `{{.Name}}`.
    Line(String),
}

impl FromStr for Form {
    type Err = String;

    /// `table`, `json`, `table TEMPLATE` or `TEMPLATE`; `\t` and `\n` in it are a tab and a newline.
    fn from_str(text: &str) -> Result<Self, String> {
        let spelled = |template: &str| template.replace("\\t", "\t").replace("\\n", "\n");
        let form = match text.trim() {
            "" | "table" => Self::Table,
            "json" | "{{json .}}" => Self::Json,
            _ => match text.strip_prefix("table ") {
                Some(template) => Self::Columns(spelled(template.trim())),
                None => Self::Line(spelled(text)),
            },
        };
        if let Self::Columns(template) | Self::Line(template) = &form {
            parsed(template)?;
        }
        Ok(form)
    }
}

/// The rows in a form. `columns` are the heads and keys of the command's own table; `heads` tells the head of every key that a
/// template may name.
///
/// # Errors
/// A template that names what a row does not have.
pub fn render(form: &Form, rows: &[Row], columns: &[(&str, &str)], heads: &[(&str, &str)]) -> Result<String, String> {
    match form {
        Form::Table => {
            let names: Vec<&str> = columns.iter().map(|(head, _)| *head).collect();
            let mut table = Table::new(&names);
            for row in rows {
                let cells: Vec<String> =
                    columns.iter().map(|(_, key)| row.get(*key).map(text).unwrap_or_default()).collect();
                table.row(&cells.iter().map(String::as_str).collect::<Vec<_>>());
            }
            Ok(table.text())
        }
        Form::Json => Ok(rows.iter().map(|row| format!("{}\n", serde_json::Value::Object(row.clone()))).collect()),
        Form::Columns(template) => {
            let template = parsed(template)?;
            let all = columns.iter().map(|(head, key)| (*key, *head)).chain(heads.iter().copied());
            let head: Row = all.map(|(key, head)| (key.to_owned(), head.into())).collect();
            // what has no head of its own is headed by its key
            let keys = rows
                .first()
                .map(|row| row.keys().map(|key| (key.clone(), key.to_uppercase().into())))
                .into_iter()
                .flatten();
            let head: Row = keys.chain(head).collect();
            let mut lines = vec![line(&template, &head)?];
            for row in rows {
                lines.push(line(&template, row)?);
            }
            let mut rows = lines.iter().map(|line| line.split('\t').collect::<Vec<_>>());
            let mut table = Table::new(&rows.next().unwrap_or_default());
            rows.for_each(|row| table.row(&row));
            Ok(table.text())
        }
        Form::Line(template) => {
            let template = parsed(template)?;
            rows.iter().map(|row| Ok(line(&template, row)? + "\n")).collect()
        }
    }
}

fn parsed(template: &str) -> Result<Template, String> {
    let mut parsed = Template::default();
    let own: [(&str, gtmpl::Func); 9] = [
        ("json", json),
        ("upper", upper),
        ("lower", lower),
        ("title", title),
        ("split", split),
        ("join", join),
        ("truncate", truncate),
        ("pad", pad),
        ("label", label),
    ];
    parsed.add_funcs(&own);
    // the crate knows no methods with arguments, and docker knows one
    let template = template.replace(".Label \"", "label . \"");
    parsed.parse(template).map_err(|why| format!("the template cannot be read: {why}"))?;
    Ok(parsed)
}

fn line(template: &Template, row: &Row) -> Result<String, String> {
    let fields = row.iter().map(|(key, field)| (key.clone(), value(field))).collect();
    template.render(&Context::from(Value::Object(fields))).map_err(|why| {
        let keys: Vec<&str> = row.keys().map(String::as_str).collect();
        let why = why.to_string();
        let why = why.split(" for {").next().unwrap_or_default();
        format!("the template cannot be filled: {why}; there are {}", keys.join(", "))
    })
}

/// As a cell of a table.
fn text(value: &serde_json::Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn value(json: &serde_json::Value) -> Value {
    match json {
        serde_json::Value::Null => Value::Nil,
        serde_json::Value::Bool(truth) => Value::from(*truth),
        serde_json::Value::Number(number) => match number.as_i64() {
            Some(whole) => Value::from(whole),
            None => Value::from(number.as_f64().unwrap_or_default()),
        },
        serde_json::Value::String(text) => Value::from(text.as_str()),
        serde_json::Value::Array(items) => Value::Array(items.iter().map(value).collect()),
        serde_json::Value::Object(fields) => {
            Value::Object(fields.iter().map(|(key, field)| (key.clone(), value(field))).collect())
        }
    }
}

/// Back to JSON, keys in order.
fn as_json(value: &Value) -> serde_json::Value {
    match value {
        Value::Bool(truth) => (*truth).into(),
        Value::String(text) => text.as_str().into(),
        Value::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(whole), _) => whole.into(),
            (None, fraction) => fraction.into(),
        },
        Value::Array(items) => items.iter().map(as_json).collect(),
        Value::Object(fields) | Value::Map(fields) => {
            let mut keys: Vec<&String> = fields.keys().collect();
            keys.sort();
            keys.into_iter().filter_map(|key| Some((key.clone(), as_json(fields.get(key)?)))).collect()
        }
        Value::Nil | Value::NoValue | Value::Function(_) => serde_json::Value::Null,
    }
}

fn argument(arguments: &[Value], at: usize) -> Result<&Value, FuncError> {
    arguments.get(at).ok_or(FuncError::AtLeastXArgs("a function".to_owned(), at + 1))
}

fn word(arguments: &[Value], at: usize) -> Result<String, FuncError> {
    Ok(argument(arguments, at)?.to_string())
}

fn number(arguments: &[Value], at: usize) -> Result<usize, FuncError> {
    let number = match argument(arguments, at)? {
        Value::Number(number) => number.as_u64().and_then(|number| usize::try_from(number).ok()),
        _ => None,
    };
    number.ok_or(FuncError::Generic("a number is needed".to_owned()))
}

fn json(arguments: &[Value]) -> Result<Value, FuncError> {
    Ok(as_json(argument(arguments, 0)?).to_string().into())
}

fn upper(arguments: &[Value]) -> Result<Value, FuncError> {
    Ok(word(arguments, 0)?.to_uppercase().into())
}

fn lower(arguments: &[Value]) -> Result<Value, FuncError> {
    Ok(word(arguments, 0)?.to_lowercase().into())
}

fn title(arguments: &[Value]) -> Result<Value, FuncError> {
    let word = word(arguments, 0)?;
    let mut letters = word.chars();
    let first = letters.next().map(|letter| letter.to_uppercase().to_string()).unwrap_or_default();
    Ok((first + letters.as_str()).into())
}

fn split(arguments: &[Value]) -> Result<Value, FuncError> {
    let (text, at) = (word(arguments, 0)?, word(arguments, 1)?);
    Ok(Value::Array(text.split(at.as_str()).map(Value::from).collect()))
}

fn join(arguments: &[Value]) -> Result<Value, FuncError> {
    let between = word(arguments, 1)?;
    match argument(arguments, 0)? {
        Value::Array(items) => Ok(items.iter().map(Value::to_string).collect::<Vec<_>>().join(&between).into()),
        other => Err(FuncError::Generic(format!("join needs a list, not {other}"))),
    }
}

fn truncate(arguments: &[Value]) -> Result<Value, FuncError> {
    Ok(word(arguments, 0)?.chars().take(number(arguments, 1)?).collect::<String>().into())
}

fn pad(arguments: &[Value]) -> Result<Value, FuncError> {
    let (before, after) = (number(arguments, 1)?, number(arguments, 2)?);
    Ok(format!("{}{}{}", " ".repeat(before.min(1000)), word(arguments, 0)?, " ".repeat(after.min(1000))).into())
}

/// The value of a label, of `Labels` as docker writes them: `a=1,b=2`.
fn label(arguments: &[Value]) -> Result<Value, FuncError> {
    let key = word(arguments, 1)?;
    let Value::Object(row) = argument(arguments, 0)? else { return Ok("".into()) };
    let labels = row.get("Labels").map(Value::to_string).unwrap_or_default();
    let found = labels.split(',').find_map(|label| label.split_once('=').filter(|(name, _)| *name == key));
    Ok(found.map(|(_, value)| value.to_owned()).unwrap_or_default().into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn shown(form: &str) -> Result<String, String> {
        let rows = [
            json!({"Name": "p-web-1", "ExitCode": 0, "Labels": "a=1,b=two", "Ports": [{"Port": 80}, {"Port": 90}]}),
            json!({"Name": "p-longer-1", "ExitCode": 3, "Labels": "", "Ports": []}),
        ];
        let rows: Vec<Row> = rows.iter().filter_map(|row| row.as_object().cloned()).collect();
        let columns = [("NAME", "Name"), ("CODE", "ExitCode")];
        render(&form.parse()?, &rows, &columns, &[("Labels", "LABELS")])
    }

    #[test]
    fn a_template_is_a_line_a_row() {
        assert_eq!(shown("{{.Name}} {{.ExitCode}}").as_deref(), Ok("p-web-1 0\np-longer-1 3\n"));
        assert_eq!(shown(r#"{{upper .Name}}\t{{.Label "b"}}"#).as_deref(), Ok("P-WEB-1\ttwo\nP-LONGER-1\t\n"));
        assert_eq!(
            shown(r#"{{range .Ports}}{{.Port}} {{end}}{{if eq .ExitCode 3}}bad{{end}}"#).as_deref(),
            Ok("80 90 \nbad\n")
        );
        assert_eq!(
            shown(r#"{{join (split .Name "-") "+"}} {{title .Name}} {{truncate .Name 3}}|{{pad .ExitCode 1 2}}|"#)
                .as_deref(),
            Ok("p+web+1 P-web-1 p-w| 0  |\np+longer+1 P-longer-1 p-l| 3  |\n")
        );
        assert_eq!(
            shown("{{json .Name}}{{json .Ports}}").unwrap().lines().next(),
            Some(r#""p-web-1"[{"Port":80},{"Port":90}]"#)
        );
    }

    #[test]
    fn a_table_has_heads_by_its_template() {
        assert_eq!(shown("table").as_deref(), Ok("NAME         CODE\np-web-1      0\np-longer-1   3\n"));
        assert_eq!(
            shown(r"table {{.ExitCode}}\t{{.Name}}").as_deref(),
            Ok("CODE      NAME\n0         p-web-1\n3         p-longer-1\n")
        );
    }

    #[test]
    fn what_is_not_there_is_told_with_what_is() {
        let why = shown("{{.Nope}}").unwrap_err();
        assert!(why.contains("Nope") && why.ends_with("there are Name, ExitCode, Labels, Ports"), "{why}");
        assert!("{{.Name".parse::<Form>().is_err());
        assert_eq!(shown("json").unwrap().lines().count(), 2);
        assert_eq!(shown("pretty").as_deref(), Ok("pretty\npretty\n"));
    }
}
