//! Our two `x-` keys. `x-trunks` comes with its issue; until then it is an error that says so.

pub mod verify;
