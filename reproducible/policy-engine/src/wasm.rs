//! The door of the module: it imports nothing and exports its memory and three functions.
#![allow(unsafe_code)]

use crate::protocol::Desk;
use std::cell::RefCell;

thread_local! {
    static DESK: RefCell<Desk> = RefCell::new(Desk::default());
}

/// Room for `len` bytes, which `pm_call` or `pm_free` takes back.
#[no_mangle]
pub extern "C" fn pm_alloc(len: usize) -> *mut u8 {
    hand_out(vec![0; len])
}

/// # Safety
/// `at` and `len` are of `pm_alloc` or of an answer, and are used once.
#[no_mangle]
pub unsafe extern "C" fn pm_free(at: *mut u8, len: usize) {
    drop(take_back(at, len));
}

/// Takes the request's bytes back and hands out the answer's: address in the upper half, length in the lower.
///
/// # Safety
/// `at` and `len` are of `pm_alloc`, and are used once.
#[no_mangle]
pub unsafe extern "C" fn pm_call(at: *mut u8, len: usize) -> u64 {
    let request = take_back(at, len);
    let answer = DESK.with_borrow_mut(|desk| desk.answer(&request)).into_bytes();
    let len = answer.len() as u64;
    ((hand_out(answer) as u64) << 32) | len
}

fn hand_out(bytes: Vec<u8>) -> *mut u8 {
    Box::into_raw(bytes.into_boxed_slice()).cast()
}

unsafe fn take_back(at: *mut u8, len: usize) -> Box<[u8]> {
    Box::from_raw(std::ptr::slice_from_raw_parts_mut(at, len))
}
