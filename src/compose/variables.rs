//! The variables that stack files ask for: `config --variables`.

use indexmap::IndexMap;

use crate::compose::template::{self, OperationKind, Part};
use crate::yaml::{Data, Node, Value};

/// What a file says of a variable.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Variable {
    /// Whether the file cannot be read without it: `${NAME:?…}`.
    pub required: bool,
    /// What stands for it where it is not set: `${NAME:-…}`.
    pub default: String,
    /// What stands where it is set: `${NAME:+…}`.
    pub replacement: String,
}

/// Every variable of the documents, in the order in which they are named first. Of several defaults the first counts.
pub fn variables(documents: &[Node]) -> IndexMap<String, Variable> {
    let mut found = IndexMap::new();
    documents.iter().for_each(|document| in_node(document, &mut found));
    found
}

fn in_node(node: &Node, found: &mut IndexMap<String, Variable>) {
    match &node.data {
        Data::Map(map) => map.iter().for_each(|(_, entry)| in_node(&entry.value, found)),
        Data::Seq(items) => items.iter().for_each(|item| in_node(item, found)),
        Data::Scalar(scalar) => {
            if let Value::Str(text) = &scalar.value {
                in_text(text, found);
            }
        }
        Data::Null => {}
    }
}

fn in_text(text: &str, found: &mut IndexMap<String, Variable>) {
    for reference in template::parts(text).filter_map(|part| match part {
        Ok(Part::Variable(reference)) => Some(reference),
        _ => None,
    }) {
        let variable = found.entry(reference.name.to_owned()).or_default();
        let Some(operation) = reference.operation else { continue };
        let first = |slot: &mut String| {
            if slot.is_empty() {
                *slot = operation.operand.to_owned();
            }
        };
        match operation.kind {
            OperationKind::Required => variable.required = true,
            OperationKind::Default => first(&mut variable.default),
            OperationKind::Replacement => first(&mut variable.replacement),
        }
        in_text(operation.operand, found);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_variable_is_found_with_what_the_file_says_of_it() {
        let mut found = IndexMap::new();
        in_text("$A ${B:-${C-x}} ${D:?no} ${E+y} $$F ${B:-second}", &mut found);
        let shown: Vec<String> =
            found.iter().map(|(name, v)| format!("{name} {} {} {}", v.required, v.default, v.replacement)).collect();
        assert_eq!(shown, ["A false  ", "B false ${C-x} ", "C false x ", "D true  ", "E false  y"]);
    }
}
