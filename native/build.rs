//! Embeds the web UI: the directory that `make ui` writes, `target/www` of the workspace, or what `REQLOG_WWW` names.
//!
//! Without a UI in `target/www` the build has none, and says at `/` how to get it. One that is named must be there.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn main() {
    println!("cargo::rerun-if-env-changed=REQLOG_WWW");
    println!("cargo::rerun-if-changed=build.rs");
    let named = env::var_os("REQLOG_WWW").filter(|name| !name.is_empty()).map(PathBuf::from);
    let usual = || Path::new(env!("CARGO_MANIFEST_DIR")).with_file_name("target").join("www");
    let directory = named.clone().unwrap_or_else(usual);
    if named.is_none() {
        // a directory that is not there would have this run, and the crate compiled, every time
        let _ = fs::create_dir_all(&directory);
    }
    println!("cargo::rerun-if-changed={}", directory.display());
    let table = directory.join("assets.json");
    let source = if table.is_file() {
        embedding(&directory).unwrap_or_else(|error| panic!("{}: {error}", directory.display()))
    } else {
        assert!(named.is_none(), "REQLOG_WWW: {} is not there: it is no build of the UI", table.display());
        "const TABLE: Option<&str> = None;\nconst FILES: &[(&str, &[u8])] = &[];\n".to_owned()
    };
    let out = env::var_os("OUT_DIR").expect("cargo says where");
    fs::write(Path::new(&out).join("www.rs"), source).expect("the directory for output can be written");
}

fn embedding(directory: &Path) -> io::Result<String> {
    let directory = directory.canonicalize()?;
    let mut names = Vec::new();
    list(&directory, "", &mut names)?;
    names.sort();
    // as a literal of Rust has it
    let literal = |name: &str| format!("{:?}", directory.join(name).to_string_lossy());
    let mut source = format!(
        "const TABLE: Option<&str> = Some(include_str!({}));\nconst FILES: &[(&str, &[u8])] = &[\n",
        literal("assets.json")
    );
    for name in names {
        writeln!(source, "    ({name:?}, include_bytes!({})),", literal(&name)).expect("memory takes it");
    }
    source.push_str("];\n");
    Ok(source)
}

fn list(directory: &Path, prefix: &str, names: &mut Vec<String>) -> io::Result<()> {
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
        if entry.file_type()?.is_dir() {
            list(&entry.path(), &format!("{name}/"), names)?;
        } else if !["assets.json", "_headers", ".assetsignore"].contains(&name.as_str()) {
            names.push(name);
        }
    }
    Ok(())
}
