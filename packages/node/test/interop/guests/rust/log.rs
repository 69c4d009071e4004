//! The smallest useful guest: logs what it is given. `wasm32-unknown-unknown`, no WASI.
mod host;
use host::{code, log_error, log_info, set_data, text};

#[no_mangle]
pub extern "C" fn start(rid: i32) -> i32 {
    code(text(rid).map(|payload| log_info(&payload)))
}

/// Returns a negative code after an error line.
#[no_mangle]
pub extern "C" fn refuse(_rid: i32) -> i32 {
    log_error("refused");
    -7
}

/// Logs, then traps.
#[no_mangle]
pub extern "C" fn crash(_rid: i32) -> i32 {
    log_info("before the crash");
    panic!("crash on request")
}

/// Replaces the payload under its rid by its capitals and logs what a second read gives.
#[no_mangle]
pub extern "C" fn replace(rid: i32) -> i32 {
    let replaced = text(rid).and_then(|payload| set_data(rid, payload.to_uppercase().as_bytes()));
    code(replaced.and_then(|()| text(rid)).map(|payload| log_info(&payload)))
}
