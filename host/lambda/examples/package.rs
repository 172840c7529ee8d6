//! Makes a function's policy folder of a policy set: its components, and machine code of each, listed in its lock.

use std::error::Error;
use std::path::Path;
use std::{env, fmt::Write, fs};

use cogwit_core::digest::sha256;
use cogwit_core::policy::Caps;
use cogwit_core::run::{Engine, FINGERPRINT, Native};
use cogwit_core::store::Source;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = env::args().skip(1);
    let (Some(source), Some(folder)) = (arguments.next(), arguments.next()) else {
        return Err("usage: package SET FOLDER".into());
    };
    let (source, folder) = (Path::new(&source), Path::new(&folder));
    let package = Source::Document(source.join("policies.toml")).read()?;
    let engine = Engine::new(1, Caps::default().limits.memory)?;
    fs::create_dir_all(folder)?;
    fs::copy(source.join("policies.toml"), folder.join("policies.toml"))?;
    let mut lock = String::new();
    for (component, bytes) in &package.components {
        let native = engine.precompile(bytes)?;
        let (file, digest) = (format!("{component}.native"), sha256(&native));
        fs::write(folder.join(component), bytes)?;
        fs::write(folder.join(&file), &native)?;
        writeln!(lock, "[[component]]\nfile = '{component}'\nsha256 = '{}'\n", sha256(bytes))?;
        let (target, size) = (Native::target(), native.len());
        writeln!(lock, "[[native]]\ncomponent = '{component}'\nfile = '{file}'\ntarget = '{target}'")?;
        writeln!(lock, "engine = '{FINGERPRINT}'\nsha256 = '{digest}'\nsize = {size}\n")?;
    }
    fs::write(folder.join("policies.lock"), lock)?;
    Ok(())
}
