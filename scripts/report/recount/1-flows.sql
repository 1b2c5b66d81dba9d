-- Packets to flows, after docs/CLASSIFICATION.md: Order, Flow.
--
-- In: rows (what pkt2csv wrote, every column a text or NULL; file_order; configuration), addresses (ip, net, monitored,
-- multicast, link_local), the variable with_telescope.

-- Exact times: nanoseconds.
CREATE MACRO nanoseconds(seconds) AS CAST(CAST(seconds AS DECIMAL(19, 9)) * 1000000000 AS BIGINT);

CREATE TABLE packets AS
SELECT
    configuration,
    row_number() OVER (PARTITION BY configuration ORDER BY nanoseconds(ts), file_order) AS id,
    nanoseconds(ts) AS t,
    file_order,
    ts, src_ip, dst_ip, proto, src_port, dst_port,
    -- F S R P A U alone; NULL where no flags were captured.
    regexp_replace(tcp_flags, '[ECN.]', '', 'g') AS flags,
    CAST(ip_len AS BIGINT) AS ip_len,
    CAST(tcp_seq AS BIGINT) AS seq,
    CAST(tcp_ack AS BIGINT) AS ack,
    CAST(payload_len AS BIGINT) AS payload_len,
    payload_head,
    CAST(icmp_type AS INTEGER) AS icmp_type,
    proto = 'icmp' AND CAST(icmp_type AS INTEGER) IN (3, 4, 5, 11, 12)
        OR proto = 'icmp6' AND CAST(icmp_type AS INTEGER) BETWEEN 1 AND 4 AS is_error,
    -- An ICMP reply counts under the type of its request; the type stands for both ports together with the identifier.
    CASE WHEN proto IN ('icmp', 'icmp6') THEN concat_ws(
        ':',
        CASE proto || icmp_type WHEN 'icmp0' THEN '8' WHEN 'icmp14' THEN '13' WHEN 'icmp16' THEN '15'
            WHEN 'icmp18' THEN '17' WHEN 'icmp6129' THEN '128' ELSE coalesce(icmp_type, 'absent') END,
        CASE WHEN proto = 'icmp' AND icmp_type IN ('0', '8', '13', '14', '15', '16', '17', '18')
            OR proto = 'icmp6' AND icmp_type IN ('128', '129') THEN coalesce(icmp_id, 'absent') END
    ) END AS icmp_port,
    quoted_proto, quoted_src_ip, quoted_dst_ip, quoted_src_port, quoted_dst_port
FROM rows;

-- A packet is taken once one was seen that is more than 5 s (--reorder) later. What is earlier than the last one taken is
-- late, and takes no part.
CREATE TABLE late AS
WITH arrivals AS (
    SELECT *, max(t) OVER (PARTITION BY configuration ORDER BY file_order ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS seen
    FROM packets
)
SELECT DISTINCT arrival.configuration, arrival.id
FROM arrivals AS arrival JOIN packets AS taken
    ON taken.configuration = arrival.configuration AND taken.t > arrival.t AND taken.t < arrival.seen - 5000000000
    AND taken.file_order < arrival.file_order
WHERE arrival.t < arrival.seen - 5000000000;
DELETE FROM packets WHERE (configuration, id) IN (FROM late);

CREATE MACRO side(ip, port) AS concat(ip, ' ', coalesce(port, 'absent'));
CREATE MACRO pair(proto, one, other) AS concat_ws(' ', proto, least(one, other), greatest(one, other));

-- What may belong to a pair of end points: its packets, and errors that quote one of them. `side` is who sent it, or
-- who is made out to have sent what is quoted.
CREATE TABLE items AS
WITH own AS (
    SELECT configuration, id, t, false AS quotes, coalesce(proto = 'tcp' AND flags = 'S', false) AS syn,
        side(src_ip, coalesce(icmp_port, src_port)) AS side,
        pair(proto, side(src_ip, coalesce(icmp_port, src_port)), side(dst_ip, coalesce(icmp_port, dst_port))) AS pair
    FROM packets WHERE NOT is_error
), quoted AS (
    SELECT configuration, id, t, true AS quotes, false AS syn,
        side(quoted_src_ip, quoted_src_port) AS side,
        pair(quoted_proto, side(quoted_src_ip, quoted_src_port), side(quoted_dst_ip, quoted_dst_port)) AS pair
    FROM packets WHERE is_error AND quoted_src_ip IS NOT NULL AND quoted_proto NOT IN ('icmp', 'icmp6')
)
SELECT *, row_number() OVER (PARTITION BY configuration, pair ORDER BY id) AS n
FROM (FROM own UNION ALL FROM quoted WHERE (configuration, pair) IN (SELECT configuration, pair FROM own));

-- Each pair is walked from its first item to its last, all pairs at once. What is known on the way: the flow, when it began
-- and was last alive, whether a SYN opened it, and who has sent in it. What becomes of an item: 'opens' a flow,
-- 'belongs' to it, is 'late' (of a flow older than an hour, which is written), or 'alone' (an error that answers nothing here).
CREATE TABLE walk AS
WITH RECURSIVE walk AS (
    SELECT configuration, pair, n, id, t, CASE WHEN quotes THEN 'alone' ELSE 'opens' END AS what,
        CASE WHEN quotes THEN 0 ELSE 1 END AS flow, t AS begun, t AS alive, syn AS by_syn,
        CASE WHEN quotes THEN [] ELSE [side] END AS senders
    FROM items WHERE n = 1
    UNION ALL
    SELECT configuration, pair, n, id, t, what,
        CASE what WHEN 'opens' THEN flow + 1 ELSE flow END,
        CASE what WHEN 'opens' THEN t ELSE begun END,
        CASE what WHEN 'alone' THEN alive ELSE t END,
        CASE what WHEN 'opens' THEN syn ELSE by_syn END,
        CASE WHEN what = 'opens' THEN [side]
            WHEN quotes OR what = 'alone' OR list_contains(senders, side) THEN senders
            ELSE list_append(senders, side) END
    FROM (
        SELECT item.*, walk.flow, walk.begun, walk.alive, walk.by_syn, walk.senders,
            CASE
                WHEN quotes AND NOT (walk.flow > 0 AND item.t - walk.alive <= 300000000000
                    AND list_contains(walk.senders, item.side)) THEN 'alone'
                WHEN NOT quotes AND (walk.flow = 0 OR item.t - walk.alive > 300000000000
                    OR item.syn AND NOT walk.by_syn) THEN 'opens'
                WHEN item.t - walk.begun > 3600000000000 THEN 'late'
                ELSE 'belongs'
            END AS what
        FROM walk JOIN items AS item
            ON item.configuration = walk.configuration AND item.pair = walk.pair AND item.n = walk.n + 1
    )
)
FROM walk;

-- Errors that answer nothing are flows of their own end points. Only errors have their types, so that no other packet
-- can belong to these.
CREATE TABLE alone AS
WITH RECURSIVE errors AS (
    SELECT configuration, id, t, pair(proto, side(src_ip, icmp_port), side(dst_ip, icmp_port)) AS pair,
        row_number() OVER (PARTITION BY configuration, pair(proto, side(src_ip, icmp_port), side(dst_ip, icmp_port)) ORDER BY id) AS n
    FROM packets
    WHERE is_error AND (configuration, id) NOT IN (SELECT configuration, id FROM walk WHERE what <> 'alone')
), walk AS (
    SELECT *, 'opens' AS what, 1 AS flow, t AS begun, t AS alive FROM errors WHERE n = 1
    UNION ALL
    SELECT error.*,
        CASE WHEN error.t - walk.alive > 300000000000 THEN 'opens' WHEN error.t - begun > 3600000000000 THEN 'late' ELSE 'belongs' END,
        CASE WHEN error.t - walk.alive > 300000000000 THEN flow + 1 ELSE flow END,
        CASE WHEN error.t - walk.alive > 300000000000 THEN error.t ELSE begun END,
        error.t
    FROM walk JOIN errors AS error
        ON error.configuration = walk.configuration AND error.pair = walk.pair AND error.n = walk.n + 1
)
FROM walk;

-- Which flow each packet is of: a flow is named by its first packet.
CREATE TABLE membership AS
SELECT configuration, min(id) OVER (PARTITION BY configuration, pair, flow) AS flow, id
FROM (
    SELECT configuration, pair, flow, id FROM walk WHERE what IN ('opens', 'belongs')
    UNION ALL
    SELECT configuration, 'error ' || pair, flow, id FROM alone WHERE what IN ('opens', 'belongs')
);
