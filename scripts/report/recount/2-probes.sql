-- Flows to probes: class, technique and handshake, after docs/CLASSIFICATION.md: Direction, Class and technique, Handshake.

CREATE MACRO octets(head) AS coalesce(length(head) // 2, 0);
CREATE MACRO octet(head, nth) AS TRY_CAST('0x' || substr(head, 2 * nth + 1, 2) AS INTEGER);
CREATE MACRO begins(head, text) AS starts_with(head, lower(hex(text)));

-- Known UDP replies, by source port and the first octets.
CREATE MACRO udp_reply(port, head) AS CASE
    WHEN port IN ('53', '5353') THEN octets(head) >= 3 AND (octet(head, 2) & 128) > 0
    WHEN port = '123' THEN octets(head) >= 1 AND (octet(head, 0) & 7) = 4
        OR octets(head) >= 2 AND (octet(head, 0) & 7) = 6 AND (octet(head, 1) & 128) > 0
        OR octets(head) >= 1 AND (octet(head, 0) & 7) = 7 AND (octet(head, 0) & 128) > 0
    WHEN port = '137' THEN octets(head) >= 3 AND (octet(head, 2) & 128) > 0
    WHEN port = '1900' THEN begins(head, 'HTTP/1.1 2')
    WHEN port = '5060' THEN begins(head, 'SIP/2.0 ')
    WHEN port = '4500' AND starts_with(head, '00000000') THEN octets(head) >= 16 AND substr(head, 25, 8) <> '00000000'
    WHEN port IN ('500', '4500') THEN octets(head) >= 16 AND substr(head, 17, 16) <> '0000000000000000'
    -- Sequence with a length of one octet or more, version, community, and then the tag of a response.
    WHEN port = '161' THEN regexp_matches(head, '^30([0-7].|81..|82....|83......|84........)0201..04([0-7].)')
        AND substr(head, 2 * (
            CASE WHEN head[3] = '8' THEN 2 + CAST(head[4] AS INTEGER) ELSE 2 END + 5
            + octet(head, CASE WHEN head[3] = '8' THEN 2 + CAST(head[4] AS INTEGER) ELSE 2 END + 4)
        ) + 1, 2) = 'a2'
    WHEN port = '111' THEN octets(head) >= 8 AND substr(head, 9, 8) = '00000001'
    WHEN port = '11211' THEN begins(substr(head, 17), 'STAT ') OR begins(substr(head, 17), 'VALUE')
        OR begins(substr(head, 17), 'END') OR begins(substr(head, 17), 'ERROR')
    WHEN port = '3478' THEN octets(head) >= 2 AND (octet(head, 0) & 193) = 1
    WHEN port IN ('17', '19') THEN octets(head) >= 1
    ELSE false
END;

-- A conversation: a payload in any TCP packet of the flow, or a TCP packet of the other side that does not reset.
CREATE TABLE conversations AS
SELECT DISTINCT configuration, flow
FROM membership
JOIN packets USING (configuration, id)
JOIN packets AS opener ON opener.configuration = membership.configuration AND opener.id = membership.flow
WHERE packets.proto = 'tcp' AND (
    packets.payload_len > 0
    OR (packets.src_ip, packets.src_port) IS DISTINCT FROM (opener.src_ip, opener.src_port)
        AND packets.flags IS NOT NULL AND NOT contains(packets.flags, 'R')
);

-- What the packets behind a SYN say. The first of refused, completed and reset stands.
CREATE TABLE handshakes AS
WITH tcp AS (
    SELECT configuration, flow, packets.id, packets.t, packets.flags, packets.seq, packets.ack,
        (packets.src_ip, packets.src_port) IS NOT DISTINCT FROM (opener.src_ip, opener.src_port) AS from_source
    FROM membership
    JOIN packets USING (configuration, id)
    JOIN packets AS opener ON opener.configuration = membership.configuration AND opener.id = membership.flow
    WHERE opener.proto = 'tcp' AND opener.flags = 'S' AND packets.proto = 'tcp' AND membership.id <> membership.flow
), behind AS (
    SELECT *,
        CASE WHEN NOT from_source AND flags = 'SA' THEN {t: t, seq: seq} END AS syn_ack,
        last_value(syn_ack IGNORE NULLS) OVER (
            PARTITION BY configuration, flow ORDER BY id ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
        ) AS answer
    FROM tcp
), events AS (
    SELECT configuration, flow, id, CASE
        WHEN NOT from_source AND contains(flags, 'R') AND answer IS NULL THEN 'refused'
        WHEN NOT from_source OR answer IS NULL OR t - answer.t > 60000000000 THEN NULL
        WHEN contains(flags, 'R') THEN 'reset'
        WHEN contains(flags, 'A') AND NOT contains(flags, 'S')
            -- Ahead: the difference modulo 2^32, taken as signed, is positive.
            AND coalesce((ack - answer.seq + 4294967296) % 4294967296 BETWEEN 1 AND 2147483647, true) THEN 'completed'
    END AS event, syn_ack IS NOT NULL AS answers
    FROM behind
)
SELECT configuration, flow, coalesce(arg_min(event, id) FILTER (event IS NOT NULL),
    CASE WHEN bool_or(answers) THEN 'unanswered' ELSE 'none' END) AS handshake
FROM events GROUP BY configuration, flow;

CREATE TABLE flows AS
WITH opened AS (
    SELECT packets.*, coalesce(handshake, CASE WHEN proto = 'tcp' AND flags = 'S' THEN 'none' END) AS handshake,
        conversations.flow IS NOT NULL AS conversation,
        source.monitored AS source_monitored, destination.monitored AS destination_monitored,
        source.link_local OR destination.link_local AS link_local, destination.multicast AS multicast
    FROM (SELECT DISTINCT configuration, flow AS id FROM membership)
    JOIN packets USING (configuration, id)
    JOIN addresses AS source ON source.ip = src_ip
    JOIN addresses AS destination ON destination.ip = dst_ip
    LEFT JOIN conversations ON conversations.configuration = packets.configuration AND conversations.flow = packets.id
    LEFT JOIN handshakes ON handshakes.configuration = packets.configuration AND handshakes.flow = packets.id
), named AS (
    SELECT *, CASE
        WHEN getvariable('with_telescope') AND NOT destination_monitored
            THEN CASE WHEN source_monitored THEN 'response' ELSE 'transit' END
        WHEN NOT getvariable('with_telescope') AND multicast THEN 'multicast'
        WHEN NOT getvariable('with_telescope') AND link_local THEN 'link-local'
        WHEN proto = 'tcp' THEN CASE
            WHEN flags IS NULL THEN 'no-header'
            WHEN flags = 'S' THEN CASE handshake WHEN 'completed' THEN 'connect' ELSE 'syn' END
            WHEN flags = 'SA' THEN 'syn-ack'
            WHEN flags IN ('R', 'RA') THEN 'rst'
            WHEN flags IN ('PA', 'UA', 'AU', 'PAU', 'FPA', 'FAU', 'FPAU', 'RP', 'RPA') THEN 'mid-stream'
            WHEN conversation THEN 'conversation'
            WHEN flags = 'F' THEN 'fin'
            WHEN flags = 'FPU' THEN 'xmas'
            WHEN flags = '' THEN 'null'
            WHEN flags = 'FA' THEN 'maimon'
            WHEN flags = 'A' THEN 'ack'
            ELSE 'odd-flags' END
        WHEN proto IN ('udp', 'sctp') AND (src_port IS NULL OR dst_port IS NULL) THEN 'no-header'
        WHEN proto = 'udp' THEN CASE WHEN coalesce(udp_reply(src_port, payload_head), false) THEN 'udp-reply' ELSE 'udp' END
        WHEN proto IN ('icmp', 'icmp6') THEN CASE
            WHEN icmp_type IS NULL THEN 'no-header'
            WHEN is_error THEN 'icmp-error'
            ELSE coalesce(CASE proto || icmp_type WHEN 'icmp8' THEN 'icmp-echo' WHEN 'icmp6128' THEN 'icmp-echo'
                WHEN 'icmp13' THEN 'icmp-timestamp' WHEN 'icmp15' THEN 'icmp-info' WHEN 'icmp17' THEN 'icmp-mask'
                WHEN 'icmp0' THEN 'icmp-reply' WHEN 'icmp14' THEN 'icmp-reply' WHEN 'icmp16' THEN 'icmp-reply'
                WHEN 'icmp18' THEN 'icmp-reply' WHEN 'icmp6129' THEN 'icmp-reply' END, 'icmp-control') END
        WHEN proto = 'sctp' THEN CASE
            WHEN octets(payload_head) < 1 THEN 'no-header'
            ELSE CASE octet(payload_head, 0) WHEN 1 THEN 'sctp-init' WHEN 10 THEN 'sctp-cookie-echo' WHEN 2 THEN 'sctp-reply'
                WHEN 6 THEN 'sctp-reply' WHEN 11 THEN 'sctp-reply' WHEN 14 THEN 'sctp-reply' ELSE 'mid-stream' END END
        ELSE 'ip-proto'
    END AS name
    FROM opened
)
SELECT * EXCLUDE name, CASE
    WHEN name IN ('syn', 'connect', 'fin', 'xmas', 'null', 'maimon', 'ack', 'odd-flags', 'udp', 'icmp-echo', 'icmp-timestamp',
        'icmp-info', 'icmp-mask', 'sctp-init', 'sctp-cookie-echo', 'ip-proto') THEN 'scan'
    WHEN name = 'response' THEN 'response'
    WHEN name IN ('syn-ack', 'rst', 'udp-reply', 'icmp-reply', 'icmp-error', 'sctp-reply') THEN 'backscatter'
    ELSE 'other' END AS class, CASE WHEN class = 'scan' THEN name END AS technique
FROM named;
