-- Probes to sessions: anchored windows of 300 s, after docs/CLASSIFICATION.md: Sessions.
--
-- In: verdicts (configuration, id, tool, src_country, src_asn, src_org, src_tz): what fingerprint and geo-enrich say of the
-- probes' first packets.

CREATE TABLE probes AS
SELECT flows.*, addresses.net, tool, src_country, src_asn, src_org,
    -- The wall clock of the source, by the zones that DuckDB has.
    hour(timezone(src_tz, make_timestamptz(t // 1000))) AS src_hour
FROM flows
JOIN verdicts USING (configuration, id)
JOIN addresses ON addresses.ip = src_ip
WHERE class = 'scan';

-- Which part of a configuration's time a probe is in, for the noise that the halves of the first one show.
CREATE TABLE parts AS
WITH spans AS (
    SELECT configuration,
        -- The middle as E13 writes it: seconds with six decimals.
        CAST(printf('%.6f', (CAST(arg_min(ts, id) AS DOUBLE) + CAST(arg_max(ts, id) AS DOUBLE)) / 2) AS DOUBLE) AS middle
    FROM probes GROUP BY configuration
)
SELECT configuration, id, 'all' AS part FROM probes
UNION ALL
SELECT configuration, id, CASE WHEN CAST(ts AS DOUBLE) >= middle THEN 'late' ELSE 'early' END
FROM probes JOIN spans USING (configuration);

-- Every probe under each key that a table asks for.
CREATE TABLE keyed AS
SELECT configuration, part, id, proto, t, unnest([
    {unit: 'src', key: src_ip},
    {unit: 'src+dst', key: concat(src_ip, ' ', dst_ip)},
    {unit: 'net', key: net},
    {unit: 'net+port', key: concat(net, ' ', dst_port)},
    {unit: 'net+dst', key: concat(net, ' ', dst_ip)},
    {unit: 'asn+port', key: src_asn || ' ' || coalesce(dst_port, '')}
], recursive := true)
FROM probes JOIN parts USING (configuration, id);
DELETE FROM keyed WHERE key IS NULL;

-- The first probe of a key opens a window; the first one behind its end opens the next.
CREATE TABLE windows AS
WITH RECURSIVE windows AS (
    SELECT configuration, part, unit, key, proto, min(t) AS begun FROM keyed GROUP BY ALL
    UNION ALL
    SELECT configuration, part, unit, key, proto, min(t)
    FROM windows JOIN keyed USING (configuration, part, unit, key, proto)
    WHERE t >= begun + 300000000000
    GROUP BY configuration, part, unit, key, proto
)
FROM windows;

-- The window of each probe: the latest that began before it.
CREATE TABLE inside AS
SELECT keyed.*, windows.begun
FROM keyed ASOF JOIN windows
    ON keyed.configuration = windows.configuration AND keyed.part = windows.part AND keyed.unit = windows.unit
    AND keyed.key = windows.key AND keyed.proto = windows.proto AND keyed.t >= windows.begun;

CREATE TABLE sessions AS
SELECT configuration, part, unit, key, inside.proto, begun, any_value(net) AS net, count(*) AS probes,
    count(DISTINCT dst_ip) AS dsts, count(DISTINCT dst_port) AS ports,
    CASE WHEN dsts = 1 AND ports <= 1 THEN 'point' WHEN ports <= 1 THEN 'horizontal' WHEN dsts = 1 THEN 'vertical' ELSE 'block' END AS geometry
FROM inside JOIN probes USING (configuration, id)
GROUP BY configuration, part, unit, key, inside.proto, begun;
