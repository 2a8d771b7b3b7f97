//! Lists what a WebAssembly module imports, and fails when it imports anything: `wasm_imports FILE.wasm`.
//!
//! A pure core needs nothing from its host. A C dependency, a clock or an entropy source would appear here as an
//! import (of `env` or of a host module), whatever crate it came in by.

use std::process::ExitCode;

fn main() -> ExitCode {
    let Some(path) = std::env::args().nth(1) else {
        eprintln!("usage: wasm_imports FILE.wasm");
        return ExitCode::from(2);
    };
    let found = std::fs::read(&path).map_err(|error| error.to_string()).and_then(|bytes| {
        let functions = sections(&bytes)?.into_iter().find(|(id, _)| *id == CODE).map_or(0, |(_, body)| body.len());
        let imports = imports(&bytes)?;
        Ok((functions, imports))
    });
    match found {
        Err(error) => {
            eprintln!("{path}: {error}");
            ExitCode::FAILURE
        }
        // a module without code proves nothing
        Ok((0, _)) => {
            eprintln!("{path}: no code in it");
            ExitCode::FAILURE
        }
        Ok((code, imports)) if imports.is_empty() => {
            println!("{path}: {code} bytes of code, no imports");
            ExitCode::SUCCESS
        }
        Ok((_, imports)) => {
            imports.iter().for_each(|(module, name)| eprintln!("{path} imports {module}.{name}"));
            ExitCode::FAILURE
        }
    }
}

// https://webassembly.github.io/spec/core/binary/modules.html#sections
const IMPORT: u8 = 2;
const CODE: u8 = 10;

type Section<'a> = (u8, &'a [u8]);

fn sections(module: &[u8]) -> Result<Vec<Section<'_>>, String> {
    let mut rest = module.strip_prefix(b"\0asm\x01\0\0\0").ok_or("not a WebAssembly module of version 1")?;
    let mut found = Vec::new();
    while let Some((&id, after)) = rest.split_first() {
        rest = after;
        found.push((id, bytes(&mut rest)?));
    }
    Ok(found)
}

fn imports(module: &[u8]) -> Result<Vec<(String, String)>, String> {
    let Some((_, mut rest)) = sections(module)?.into_iter().find(|(id, _)| *id == IMPORT) else {
        return Ok(Vec::new());
    };
    let count = number(&mut rest)?;
    let name = |rest: &mut &[u8]| Ok::<_, String>(String::from_utf8_lossy(bytes(rest)?).into_owned());
    let mut found = Vec::new();
    for _ in 0..count {
        found.push((name(&mut rest)?, name(&mut rest)?));
        // the descriptions have several shapes; after one import the answer is known
        if found.len() < count {
            skip_description(&mut rest)?;
        }
    }
    Ok(found)
}

fn skip_description(rest: &mut &[u8]) -> Result<(), String> {
    let (&kind, after) = rest.split_first().ok_or("cut off")?;
    *rest = after;
    match kind {
        0 => number(rest).map(drop),
        1 => byte(rest).and_then(|_| limits(rest)),
        2 => limits(rest),
        3 => byte(rest).and_then(|_| byte(rest)).map(drop),
        other => Err(format!("import of kind {other}")),
    }
}

fn limits(rest: &mut &[u8]) -> Result<(), String> {
    let flags = byte(rest)?;
    number(rest)?;
    if flags & 1 == 1 { number(rest).map(drop) } else { Ok(()) }
}

fn byte(rest: &mut &[u8]) -> Result<u8, String> {
    let (&byte, after) = rest.split_first().ok_or("cut off")?;
    *rest = after;
    Ok(byte)
}

// LEB128
fn number(rest: &mut &[u8]) -> Result<usize, String> {
    let mut value = 0;
    for shift in (0..35).step_by(7) {
        let next = byte(rest)?;
        value |= usize::from(next & 0x7f) << shift;
        if next & 0x80 == 0 {
            return Ok(value);
        }
    }
    Err("a number of more than five bytes".into())
}

fn bytes<'a>(rest: &mut &'a [u8]) -> Result<&'a [u8], String> {
    let len = number(rest)?;
    let (taken, after) = rest.split_at_checked(len).ok_or("cut off")?;
    *rest = after;
    Ok(taken)
}

#[cfg(test)]
mod tests {
    use super::imports;

    #[test]
    fn imports_of_every_kind_are_named() {
        let section = [
            &[4u8][..],
            b"\x03env\x01f\x00\x05",         // function of type 5
            b"\x03env\x01t\x01\x70\x00\x01", // table
            b"\x03env\x01m\x02\x01\x01\x02", // memory
            b"\x03env\x01g\x03\x7f\x00",     // global
        ]
        .concat();
        let module = [b"\0asm\x01\0\0\0\x02".to_vec(), vec![section.len() as u8], section].concat();
        let names: Vec<String> = imports(&module).unwrap().into_iter().map(|(_, name)| name).collect();
        assert_eq!(names, ["f", "t", "m", "g"]);
        assert!(imports(&module[..module.len() - 3]).is_err());
    }
}
