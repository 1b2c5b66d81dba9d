//! Capture files: pcap and pcapng in, pcap out, compressed or plain, damaged or whole
