"""A SIP service on every address of the telescope: one refusal (RFC 3261 section 21.4.4) for whatever comes.

A stand-in, because no SIP server answers the payload of zmap's UDP probe, and a port that answers it is wanted.
"""

import asyncio


class Refusal(asyncio.DatagramProtocol):
    """One datagram back for each."""

    def connection_made(self, transport):
        self.transport = transport

    def datagram_received(self, data, addr):
        self.transport.sendto(b"SIP/2.0 403 Forbidden\r\n\r\n", addr)


async def main():
    """Listens until killed."""
    loop = asyncio.get_running_loop()
    # One socket per address: a socket on the wildcard would answer from whichever address the route prefers.
    for host in [f"203.0.113.{last}" for last in range(10, 35)] + [f"2001:db8:113::{last}" for last in range(8)]:
        await loop.create_datagram_endpoint(Refusal, local_addr=(host, 5060))
    await asyncio.Event().wait()


asyncio.run(main())
