//! Files through Rust's standard library on WASI: reads assets and input, keeps a journal in `/data`, lists and renames,
//! and tries to leave its directories.
mod host;
use host::log_info;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};

fn lines(path: &str) -> io::Result<Vec<String>> {
    Ok(fs::read_to_string(path)?.lines().map(str::to_owned).collect())
}

fn names(path: &str) -> io::Result<String> {
    let mut names = Vec::new();
    for entry in fs::read_dir(path)? {
        let entry = entry?;
        let mark = if entry.file_type()?.is_dir() { "/" } else { "" };
        names.push(format!("{}{}", entry.file_name().to_string_lossy(), mark));
    }
    names.sort();
    Ok(names.join(" "))
}

/// Appends the payload to `/data/journal/today` and tells its lines, and what `/assets/words.txt` says.
fn keep() -> io::Result<String> {
    let payload = fs::read_to_string("/input/payload")?;
    fs::create_dir_all("/data/journal")?;
    let mut journal = OpenOptions::new().append(true).create(true).open("/data/journal/today")?;
    writeln!(journal, "{}", payload)?;
    drop(journal);
    let words = lines("/assets/words.txt").map(|words| words.join(","));
    Ok(format!("{} {}", lines("/data/journal/today")?.join(","), words.unwrap_or_else(|error| error.kind().to_string())))
}

/// Writes, seeks, truncates, renames and removes in scratch and tells what is left.
fn juggle() -> io::Result<String> {
    fs::create_dir_all("/tmp/a/b")?;
    let mut file = OpenOptions::new().read(true).write(true).create(true).open("/tmp/a/b/f")?;
    file.write_all(b"hello world")?;
    file.seek(SeekFrom::Start(6))?;
    file.write_all(b"W")?;
    file.seek(SeekFrom::End(-5))?;
    let mut rest = String::new();
    file.read_to_string(&mut rest)?;
    file.set_len(5)?;
    drop(file);
    fs::rename("/tmp/a/b/f", "/tmp/g")?;
    fs::copy("/tmp/g", "/tmp/h")?;
    fs::remove_file("/tmp/g")?;
    let size = fs::metadata("/tmp/h")?.len();
    let left = names("/tmp")?;
    fs::remove_dir_all("/tmp/a")?;
    Ok(format!("{} {} {} {} {}", rest, fs::read_to_string("/tmp/h")?, size, left, names("/tmp")?))
}

fn refused(result: io::Result<impl Sized>) -> &'static str {
    if result.is_ok() { "allowed" } else { "refused" }
}

/// Tries what must not work.
fn escape() -> io::Result<String> {
    Ok([
        refused(File::open("/etc/passwd")),
        refused(File::open("/data/../../etc/passwd")),
        refused(File::open("../etc/passwd")),
        refused(fs::write("/assets/new", "x")),
        refused(fs::remove_file("/input/payload")),
        refused(fs::hard_link("/assets/words.txt", "/data/link")),
        refused(fs::read_dir("/")),
    ]
    .join(" "))
}

fn tell(result: io::Result<String>) -> i32 {
    match result {
        Ok(line) => {
            log_info(&line);
            0
        }
        Err(error) => {
            log_info(&error.to_string());
            -1
        }
    }
}

#[no_mangle]
pub extern "C" fn keep_journal(_rid: i32) -> i32 {
    tell(keep())
}

#[no_mangle]
pub extern "C" fn juggle_files(_rid: i32) -> i32 {
    tell(juggle())
}

#[no_mangle]
pub extern "C" fn try_to_escape(_rid: i32) -> i32 {
    tell(escape())
}

/// Writes a file of `/data`, then traps.
#[no_mangle]
pub extern "C" fn write_and_crash(rid: i32) -> i32 {
    fs::write("/data/half", "x").unwrap();
    let nothing: Vec<i32> = Vec::new();
    nothing[rid as usize]
}

/// Tells what `/data` holds.
#[no_mangle]
pub extern "C" fn list_data(_rid: i32) -> i32 {
    tell(names("/data"))
}

fn main() {}
