//! The host's functions as the published Rust kit declares them, and the calls that every guest here makes.
//! A file of its own so that each guest takes it in with `mod host`.
#![allow(dead_code)]

mod sys {
    #[link(wasm_import_module = "env")]
    extern "C" {
        pub fn ws_log(level: i32, ptr: *const u8, size: usize) -> i32;
        pub fn ws_get_data(rid: i32, data: *mut *mut u8, size: *mut usize) -> i32;
        pub fn ws_set_data(rid: i32, ptr: *const u8, size: usize) -> i32;
        pub fn ws_get_db(key: *const u8, key_size: usize, data: *mut *mut u8, size: *mut usize) -> i32;
        pub fn ws_set_db(key: *const u8, key_size: usize, ptr: *const u8, size: usize) -> i32;
        pub fn ws_get_env(key: *const u8, key_size: usize, data: *mut *mut u8, size: *mut usize) -> i32;
        pub fn ws_set_sql_db(ptr: *const u8, size: usize) -> i32;
        pub fn ws_get_sql_db(ptr: *const u8, size: usize, data: *mut *mut u8, out: *mut usize) -> i32;
        pub fn ws_send_tx(chain: i32, ptr: *const u8, size: usize, data: *mut *mut u8, out: *mut usize) -> i32;
        pub fn ws_send_tx_with_operator(chain: i32, ptr: *const u8, size: usize, data: *mut *mut u8, out: *mut usize) -> i32;
        pub fn ws_call_contract(chain: i32, ptr: *const u8, size: usize, data: *mut *mut u8, out: *mut usize) -> i32;
        pub fn ws_send_mqtt_msg(topic: *const u8, topic_size: usize, ptr: *const u8, size: usize) -> i32;
        pub fn ws_get_mqtt_msg(rid: i32, topic: *mut *mut u8, topic_size: *mut usize, data: *mut *mut u8, size: *mut usize) -> i32;
        pub fn ws_api_call(ptr: *const u8, size: usize, data: *mut *mut u8, out: *mut usize) -> i32;
    }
    #[link(wasm_import_module = "stat")]
    extern "C" {
        pub fn ws_submit_metrics(ptr: *const u8, size: usize) -> i32;
    }
}

/// Where the host puts what it hands over. The block is adopted by the `Vec` in `receive`.
#[no_mangle]
pub extern "C" fn alloc(size: usize) -> *mut u8 {
    let mut block = Vec::<u8>::with_capacity(size);
    let ptr = block.as_mut_ptr();
    core::mem::forget(block);
    ptr
}

/// Calls a function that answers through two out-parameters; its failure code is the error.
fn receive(call: impl FnOnce(*mut *mut u8, *mut usize) -> i32) -> Result<Vec<u8>, i32> {
    let mut ptr = core::ptr::null_mut();
    let mut size = 0usize;
    match call(&mut ptr, &mut size) {
        0 if size == 0 => Ok(Vec::new()),
        0 => Ok(unsafe { Vec::from_raw_parts(ptr, size, size) }),
        code => Err(code),
    }
}

fn done(code: i32) -> Result<(), i32> {
    if code == 0 { Ok(()) } else { Err(code) }
}

pub fn log_info(message: &str) {
    unsafe { sys::ws_log(4, message.as_ptr(), message.len()) };
}

pub fn log_error(message: &str) {
    unsafe { sys::ws_log(2, message.as_ptr(), message.len()) };
}

pub fn data(rid: i32) -> Result<Vec<u8>, i32> {
    receive(|p, s| unsafe { sys::ws_get_data(rid, p, s) })
}

pub fn text(rid: i32) -> Result<String, i32> {
    Ok(String::from_utf8_lossy(&data(rid)?).into_owned())
}

pub fn set_data(rid: i32, data: &[u8]) -> Result<(), i32> {
    done(unsafe { sys::ws_set_data(rid, data.as_ptr(), data.len()) })
}

pub fn kv_get(key: &str) -> Result<Vec<u8>, i32> {
    receive(|p, s| unsafe { sys::ws_get_db(key.as_ptr(), key.len(), p, s) })
}

pub fn kv_set(key: &str, value: &[u8]) -> Result<(), i32> {
    done(unsafe { sys::ws_set_db(key.as_ptr(), key.len(), value.as_ptr(), value.len()) })
}

pub fn env(key: &str) -> Result<Vec<u8>, i32> {
    receive(|p, s| unsafe { sys::ws_get_env(key.as_ptr(), key.len(), p, s) })
}

pub fn sql_execute(request: &str) -> Result<(), i32> {
    done(unsafe { sys::ws_set_sql_db(request.as_ptr(), request.len()) })
}

pub fn sql_query(request: &str) -> Result<Vec<u8>, i32> {
    receive(|p, s| unsafe { sys::ws_get_sql_db(request.as_ptr(), request.len(), p, s) })
}

pub fn send_tx(chain: i32, tx: &str) -> Result<Vec<u8>, i32> {
    receive(|p, s| unsafe { sys::ws_send_tx(chain, tx.as_ptr(), tx.len(), p, s) })
}

pub fn send_tx_with_operator(chain: i32, tx: &str) -> Result<Vec<u8>, i32> {
    receive(|p, s| unsafe { sys::ws_send_tx_with_operator(chain, tx.as_ptr(), tx.len(), p, s) })
}

pub fn call_contract(chain: i32, call: &str) -> Result<Vec<u8>, i32> {
    receive(|p, s| unsafe { sys::ws_call_contract(chain, call.as_ptr(), call.len(), p, s) })
}

pub fn send_mqtt(topic: &str, payload: &[u8]) -> Result<(), i32> {
    done(unsafe { sys::ws_send_mqtt_msg(topic.as_ptr(), topic.len(), payload.as_ptr(), payload.len()) })
}

/// Topic and payload of the MQTT message behind this event.
pub fn mqtt_message(rid: i32) -> Result<(Vec<u8>, Vec<u8>), i32> {
    let mut topic = core::ptr::null_mut();
    let mut topic_size = 0usize;
    let payload = receive(|p, s| unsafe { sys::ws_get_mqtt_msg(rid, &mut topic, &mut topic_size, p, s) })?;
    let topic = if topic_size == 0 { Vec::new() } else { unsafe { Vec::from_raw_parts(topic, topic_size, topic_size) } };
    Ok((topic, payload))
}

pub fn api_call(request: &str) -> Result<Vec<u8>, i32> {
    receive(|p, s| unsafe { sys::ws_api_call(request.as_ptr(), request.len(), p, s) })
}

pub fn submit_metrics(json: &str) -> Result<(), i32> {
    done(unsafe { sys::ws_submit_metrics(json.as_ptr(), json.len()) })
}

/// What a handler returns for a result: 0, or the negated code of the host function that refused.
pub fn code(result: Result<(), i32>) -> i32 {
    match result {
        Ok(()) => 0,
        Err(code) => {
            log_error(&format!("host function answered {}", code));
            if code > 0 { -code } else { code }
        }
    }
}
