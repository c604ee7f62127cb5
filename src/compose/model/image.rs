//! What the name of an image says.

/// Whether the first part of a name is the host of a registry: it cannot be a name at the Docker Hub (distribution/reference).
pub fn is_registry(first: &str) -> bool {
    first == "localhost" || first.contains(['.', ':']) || first.bytes().any(|b| b.is_ascii_uppercase())
}
