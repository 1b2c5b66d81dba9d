//! The rows all tools share: field dictionary, CSV and NDJSON codec, times, untouched pass-through
