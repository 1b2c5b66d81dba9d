//! `probeline_record` on any bytes, NDJSON by seeds and dictionary: rows come out as they went in, in either
//! format.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| probeline_fuzz::check_rows(data));
