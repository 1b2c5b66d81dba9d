"""The honeypot of the lab: a few TCP and UDP services on every address, with fixed answers and short patience."""

import asyncio

# Port -> what the service says first (SSH, telnet) or after the first line it hears (HTTP).
GREETINGS = {22: b"SSH-2.0-OpenSSH_9.2\r\n", 23: b"login: "}
ANSWERS = {
    80: b"HTTP/1.0 404 Not Found\r\nContent-Length: 0\r\n\r\n",
    8080: b"HTTP/1.0 404 Not Found\r\nContent-Length: 0\r\n\r\n",
}
PATIENCE = 2.0  # seconds to wait for the peer before hanging up


def tcp_service(port):
    """One connection: greet, hear at most one segment, answer, close."""

    async def serve(reader, writer):
        try:
            if port in GREETINGS:
                writer.write(GREETINGS[port])
            heard = await asyncio.wait_for(reader.read(512), PATIENCE)
            if heard and port in ANSWERS:
                writer.write(ANSWERS[port])
        except (asyncio.TimeoutError, OSError):
            pass
        finally:
            writer.close()

    return serve


class UdpService(asyncio.DatagramProtocol):
    """One datagram back for each question."""

    def __init__(self, port):
        self.port = port

    def connection_made(self, transport):
        self.transport = transport

    def datagram_received(self, data, addr):
        if self.port == 53 and len(data) >= 12 and not data[2] & 0x80:
            # RFC 1035 section 4.1.1: the same ID, QR set, RCODE 5 (refused), no records.
            self.transport.sendto(data[:2] + b"\x80\x05" + bytes(8), addr)
        elif self.port == 5060:
            self.transport.sendto(b"SIP/2.0 403 Forbidden\r\n\r\n", addr)


async def main():
    """Listens until killed."""
    loop = asyncio.get_running_loop()
    for port in sorted(GREETINGS.keys() | ANSWERS.keys()):
        await asyncio.start_server(tcp_service(port), host=None, port=port, backlog=128)
    # One socket per address: a socket on the wildcard would answer from whichever address the route prefers.
    hosts = [f"203.0.113.{last}" for last in range(10, 35)] + [f"2001:db8:113::{last}" for last in range(8)]
    for port in (53, 5060):
        for host in hosts:
            await loop.create_datagram_endpoint(lambda port=port: UdpService(port), local_addr=(host, port))
    await asyncio.Event().wait()


asyncio.run(main())
