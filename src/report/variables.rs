//! The variables that a stack asks for, as docker compose lists them.

use indexmap::IndexMap;
use serde_json::{Map, Value, json};

use super::table::Table;
use crate::compose::variables::Variable;

/// Columns.
pub fn text(variables: &IndexMap<String, Variable>) -> String {
    let mut table = Table::new(&["NAME", "REQUIRED", "DEFAULT VALUE", "ALTERNATE VALUE"]);
    for (name, variable) in variables {
        table.row(&[name, if variable.required { "true" } else { "false" }, &variable.default, &variable.replacement]);
    }
    table.text()
}

/// An object by name, with docker compose's keys.
pub fn json(variables: &IndexMap<String, Variable>) -> Value {
    let object = |(name, variable): (&String, &Variable)| {
        let Variable { required, default, replacement } = variable;
        let fields =
            json!({ "Name": name, "DefaultValue": default, "PresenceValue": replacement, "Required": required });
        (name.clone(), fields)
    };
    Value::Object(variables.iter().map(object).collect::<Map<_, _>>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variable_is_a_row_and_an_object() {
        let variable = Variable { required: true, default: "1".into(), replacement: String::new() };
        let variables = IndexMap::from([("TAG".to_owned(), variable)]);
        assert_eq!(text(&variables), "NAME      REQUIRED   DEFAULT VALUE   ALTERNATE VALUE\nTAG       true       1\n");
        assert_eq!(json(&variables)["TAG"]["Required"], true);
    }
}
