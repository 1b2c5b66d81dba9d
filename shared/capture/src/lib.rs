//! Live interfaces and packet filters, through libpcap
