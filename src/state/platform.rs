//! What an image is made for: a system, a processor and its variant, by every name that they go by (those of containerd's `platforms`).

/// A platform; what is not said is empty.
#[derive(Debug, PartialEq, Eq)]
struct Platform<'t> {
    system: &'t str,
    processor: &'t str,
    variant: &'t str,
}

/// Systems that have images: a word alone is one of them, or a processor.
const SYSTEMS: [&str; 5] = ["linux", "windows", "darwin", "freebsd", "wasi"];

impl<'t> Platform<'t> {
    /// Reads `linux/arm64/v8`, `linux`, `aarch64`.
    fn read(text: &'t str) -> Self {
        let (first, rest) = text.split_once('/').unwrap_or((text, ""));
        let (system, rest) = if rest.is_empty() && !SYSTEMS.contains(&first) { ("", first) } else { (first, rest) };
        let (name, said) = rest.split_once('/').unwrap_or((rest, ""));
        let (processor, implied) = processor(name);
        let variant = match (processor, said) {
            (_, "") => implied,
            ("arm64", "v8" | "8") | ("amd64", "v1" | "1") => "",
            (_, said) => said.strip_prefix('v').unwrap_or(said),
        };
        Self { system, processor, variant }
    }
}

/// A processor as images have it, and the variant that its name says: `amd64` of `x86_64`, `arm` and `7` of `armhf`. Names that nobody has
/// another for stay.
pub fn processor(name: &str) -> (&str, &'static str) {
    match name {
        "x86_64" | "x86-64" => ("amd64", ""),
        "aarch64" => ("arm64", ""),
        "armhf" | "armv7l" => ("arm", "7"),
        "armel" | "armv6l" => ("arm", "6"),
        "i386" | "i686" => ("386", ""),
        other => (other, ""),
    }
}

/// Whether an image of the platform `found` is one of `wanted`: system, processor and variant are the same, where both say one.
pub fn is_for(wanted: &str, found: &str) -> bool {
    let (wanted, found) = (Platform::read(wanted), Platform::read(found));
    let same = |wanted: &str, found: &str| wanted.is_empty() || found.is_empty() || wanted == found;
    same(wanted.system, found.system) && same(wanted.processor, found.processor) && same(wanted.variant, found.variant)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_platform_has_many_names() {
        for (wanted, found) in [
            ("linux/amd64", "linux/amd64"),
            ("amd64", "linux/amd64"),
            ("linux", "linux/riscv64"),
            ("linux/x86_64", "linux/amd64/v1"),
            ("linux/amd64/v2", "linux/amd64"),
            ("aarch64", "linux/arm64/v8"),
            ("linux/arm64/v8", "linux/arm64"),
            ("linux/armhf", "linux/arm/v7"),
            ("linux/arm/7", "linux/arm/v7"),
            ("linux/amd64", ""),
        ] {
            assert!(is_for(wanted, found), "{wanted} {found}");
        }
        for (wanted, found) in [
            ("linux/arm64", "linux/amd64"),
            ("arm64", "linux/amd64"),
            ("windows/amd64", "linux/amd64"),
            ("windows", "linux/amd64"),
            ("linux/arm/v6", "linux/arm/v7"),
            ("armel", "linux/arm/v7"),
        ] {
            assert!(!is_for(wanted, found), "{wanted} {found}");
        }
    }
}
