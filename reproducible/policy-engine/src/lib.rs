//! The Kata agent's decision about one request, as a function from a JSON document to a JSON document.
//! `guest` decides, `protocol` speaks JSON, `wasm` is the door of the module.
#![deny(unsafe_code)]

mod guest;
mod protocol;
#[cfg(target_arch = "wasm32")]
mod wasm;

pub use protocol::Desk;
