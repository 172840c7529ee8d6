//! Gives the program what it must refuse. Each refusal names the thing, the reason and the mend, and none is a panic.

mod command_line;
mod component;
mod document;
mod event;
mod set;
