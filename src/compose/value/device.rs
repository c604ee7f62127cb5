//! `devices` in their short form: `HOST[:CONTAINER[:PERMISSIONS]]`, or a name of the Container Device Interface.

use super::BadValue;

/// A device: its path on the host, in the container, and what may be done (`r`, `w`, `m`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShortDevice {
    /// The host's path, or `vendor/class=name`.
    pub source: String,
    /// The container's path; the host's where none is given.
    pub target: String,
    /// Permissions; `rwm` where none are given.
    pub permissions: String,
}

/// Reads a device.
///
/// # Errors
/// When it has more than three parts.
pub fn parse(text: &str) -> Result<ShortDevice, BadValue> {
    let parts: Vec<&str> = text.split(':').collect();
    let (source, target, permissions) = match *parts.as_slice() {
        [source] => (source, source, "rwm"),
        [source, target] => (source, target, "rwm"),
        [source, target, permissions] => (source, target, permissions),
        _ => {
            let help = "write `/dev/host:/dev/container:rwm`, or the long form for a path with a colon";
            return Err(BadValue::new(format!("`{text}` has too many colons for a device"), help));
        }
    };
    Ok(ShortDevice { source: source.into(), target: target.into(), permissions: permissions.into() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_parts_have_their_defaults() {
        let shown = |text: &str| {
            parse(text).map(|d| format!("{} {} {}", d.source, d.target, d.permissions)).unwrap_or_default()
        };
        assert_eq!(shown("/dev/x"), "/dev/x /dev/x rwm");
        assert_eq!(shown("/dev/x:/dev/y"), "/dev/x /dev/y rwm");
        assert_eq!(shown("/dev/x:/dev/y:r"), "/dev/x /dev/y r");
        assert_eq!(shown("vendor.com/class=dev"), "vendor.com/class=dev vendor.com/class=dev rwm");
        assert!(parse("a:b:c:d").is_err());
    }
}
