//! `links` and `external_links`: `TARGET[:ALIAS]`.

use super::BadValue;

/// The target and the name it is known by: the alias, or the target itself.
///
/// # Errors
/// When the target is missing or a second colon stands in it.
pub fn parse(text: &str) -> Result<(&str, &str), BadValue> {
    let (target, alias) = text.split_once(':').unwrap_or((text, ""));
    if target.is_empty() || alias.contains(':') {
        return Err(BadValue::new(format!("`{text}` is no link"), "write `target` or `target:alias`"));
    }
    Ok((target, if alias.is_empty() { target } else { alias }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_alias_defaults_to_the_target() {
        assert_eq!(parse("db"), Ok(("db", "db")));
        assert_eq!(parse("db:"), Ok(("db", "db")));
        assert_eq!(parse("db:database"), Ok(("db", "database")));
        for text in ["", ":x", "a:b:c"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
