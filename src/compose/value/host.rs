//! An entry of `extra_hosts` in a list: `NAME=ADDRESS` or `NAME:ADDRESS`, measured with docker compose 2.40.3.

use super::BadValue;

/// The name and its addresses; brackets round an IPv6 address are gone, several stand behind commas.
///
/// Whether they are addresses is not checked here: `host-gateway` is none, and an unset variable leaves nothing.
///
/// # Errors
/// When the name or the separator is missing.
pub fn parse(text: &str) -> Result<(String, Vec<String>), BadValue> {
    let help = "write `name=address`; `host-gateway` stands for the address of the Engine's host";
    let Some((name, addresses)) = text.split_once('=').or_else(|| text.split_once(':')) else {
        return Err(BadValue::new(format!("`{text}` gives a host no address"), help));
    };
    if name.is_empty() {
        return Err(BadValue::new(format!("`{text}` gives an address to no name"), help));
    }
    Ok((name.to_owned(), addresses.split(',').map(|a| without_brackets(a).to_owned()).collect()))
}

/// An address without the brackets of IPv6.
pub fn without_brackets(address: &str) -> &str {
    address.strip_prefix('[').and_then(|a| a.strip_suffix(']')).unwrap_or(address)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_separators_and_brackets_are_understood() {
        let cases: &[(&str, &str, &[&str])] = &[
            ("a:1.2.3.4", "a", &["1.2.3.4"]),
            ("a=1.2.3.4", "a", &["1.2.3.4"]),
            ("a:::1", "a", &["::1"]),
            ("a=::1", "a", &["::1"]),
            ("a:[::1]", "a", &["::1"]),
            ("a:host-gateway", "a", &["host-gateway"]),
            ("a:", "a", &[""]),
            ("a:1.2.3.4,5.6.7.8", "a", &["1.2.3.4", "5.6.7.8"]),
            ("a=b=c", "a", &["b=c"]),
        ];
        for (text, name, addresses) in cases {
            let addresses = addresses.iter().map(|a| (*a).to_owned()).collect();
            assert_eq!(parse(text), Ok(((*name).to_owned(), addresses)), "{text}");
        }
        for text in ["", "a", "=1", ":1"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
