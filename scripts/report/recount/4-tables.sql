-- The cells of E1 to E12, after docs/REPORT.md: What is counted.
--
-- In: configurations (configuration), the variable telescope_size. Out: cells (file, key, configuration, value), where
-- `configuration` is the name of the column.

CREATE MACRO share(part, whole) AS CASE WHEN whole > 0 THEN printf('%.4f', coalesce(part, 0) / whole) ELSE '' END;

-- Counts of one column beside their shares, as in E1, E2, E9 and E12; values that only one configuration has count 0 in the
-- other.
CREATE MACRO counted(file, counts) AS TABLE
WITH known AS (FROM query_table(counts)),
full_grid AS (
    SELECT value, configuration, coalesce(n, 0) AS n, sum(coalesce(n, 0)) OVER (PARTITION BY configuration) AS whole
    FROM (SELECT DISTINCT value FROM known) CROSS JOIN configurations LEFT JOIN known USING (configuration, value)
)
SELECT file, value AS key, unnest([configuration, configuration || '_share']) AS configuration,
    unnest([CAST(n AS VARCHAR), share(n, whole)]) AS value
FROM full_grid;

CREATE VIEW techniques AS SELECT configuration, technique AS value, count(*) AS n FROM probes GROUP BY ALL;
CREATE VIEW tools AS SELECT configuration, coalesce(tool, '') AS value, count(*) AS n FROM probes GROUP BY ALL;
CREATE VIEW countries AS SELECT configuration, coalesce(src_country, '') AS value, count(*) AS n FROM probes GROUP BY ALL;
CREATE VIEW ports AS SELECT configuration, proto, coalesce(dst_port, '') AS value, count(*) AS n FROM probes GROUP BY ALL;
CREATE VIEW tcp_ports AS SELECT configuration, value, n FROM ports WHERE proto = 'tcp';
CREATE VIEW udp_ports AS SELECT configuration, value, n FROM ports WHERE proto = 'udp';

-- Scans per scan size. A horizontal scan: one /24 or AS on one port; a vertical one: one /24 on one address.
CREATE TABLE sizes AS
SELECT configuration, part, proto, CASE unit WHEN 'net+port' THEN 'horizontal by /24' WHEN 'asn+port' THEN 'horizontal by ISP' ELSE 'vertical' END AS kind,
    CASE unit WHEN 'net+dst' THEN ports ELSE dsts END AS size, count(*) AS n
FROM sessions WHERE unit IN ('net+port', 'asn+port', 'net+dst') AND proto IN ('tcp', 'udp')
GROUP BY ALL;
CREATE VIEW whole_sizes AS SELECT * EXCLUDE part FROM sizes WHERE part = 'all';

-- Every size beside its scans, in each configuration.
CREATE MACRO size_cells(file, wanted_proto, wanted_kind) AS TABLE
SELECT file, CAST(size AS VARCHAR) AS key, configuration, CAST(coalesce(n, 0) AS VARCHAR) AS value
FROM (SELECT DISTINCT size FROM whole_sizes WHERE proto = wanted_proto AND kind = wanted_kind) CROSS JOIN configurations
LEFT JOIN (FROM whole_sizes WHERE proto = wanted_proto AND kind = wanted_kind) USING (configuration, size);

-- What is said of a distribution of sizes.
CREATE VIEW size_measures AS
WITH kinds AS (FROM (VALUES ('tcp'), ('udp')) AS protos(proto) CROSS JOIN (VALUES ('horizontal by /24'), ('horizontal by ISP'), ('vertical')) AS kinds(kind)),
-- Ranks from 1, equal values sharing the mean of theirs: Spearman's rho is the correlation of these.
ranked AS (
    SELECT *, rank() OVER of_size + (count(*) OVER (PARTITION BY configuration, proto, kind, size) - 1) / 2 AS size_rank,
        rank() OVER of_n + (count(*) OVER (PARTITION BY configuration, proto, kind, n) - 1) / 2 AS n_rank
    FROM whole_sizes
    WINDOW of_size AS (PARTITION BY configuration, proto, kind ORDER BY size), of_n AS (PARTITION BY configuration, proto, kind ORDER BY n)
)
SELECT configuration, proto, kind,
    coalesce(sum(n), 0) AS scans,
    share(sum(n) FILTER (size = 1), sum(n)) AS of_one,
    share(sum(n) FILTER (size < 10), sum(n)) AS below_ten,
    coalesce(sum(n) FILTER (size = getvariable('telescope_size')), 0) AS of_telescope,
    coalesce(sum(n) FILTER (size BETWEEN getvariable('telescope_size') - 5 AND getvariable('telescope_size') - 1), 0) AS just_below,
    coalesce(sum(n) FILTER (size >= 100), 0) AS hundred_and_more,
    coalesce(CAST(max(size) AS VARCHAR), '') AS largest,
    CASE WHEN count(DISTINCT size_rank) > 1 AND count(DISTINCT n_rank) > 1 THEN printf('%.2f', corr(size_rank, n_rank)) ELSE '' END AS correlation
FROM configurations CROSS JOIN kinds LEFT JOIN ranked USING (configuration, proto, kind)
GROUP BY ALL;

-- Sources: how often they came, and what they sent.
CREATE VIEW sources AS
SELECT sessions.configuration, key AS source, count(*) AS sessions, sum(probes) AS scans
FROM sessions WHERE part = 'all' AND unit = 'src' GROUP BY ALL;

-- Networks behind large vertical scans: above size 10 for TCP, above 20 for UDP.
CREATE TABLE large_vertical AS
SELECT configuration, net, proto, count(*) AS scans, max(ports) AS largest
FROM sessions WHERE part = 'all' AND unit = 'net+dst' AND (proto = 'tcp' AND ports > 10 OR proto = 'udp' AND ports > 20)
GROUP BY ALL;

-- Networks with a session of ten or more addresses or ports.
CREATE VIEW large AS
SELECT DISTINCT configuration, proto, key AS net
FROM sessions WHERE part = 'all' AND unit = 'net' AND proto IN ('tcp', 'udp') AND greatest(dsts, ports) >= 10;

-- Ports of probes in a session of one source with several ports of one address.
CREATE VIEW through_vertical AS
SELECT DISTINCT inside.configuration, inside.proto, dst_port
FROM inside
JOIN sessions ON sessions.configuration = inside.configuration AND sessions.part = inside.part AND sessions.unit = inside.unit
    AND sessions.key = inside.key AND sessions.proto = inside.proto AND sessions.begun = inside.begun
JOIN probes ON probes.configuration = inside.configuration AND probes.id = inside.id
WHERE inside.part = 'all' AND inside.unit = 'src+dst' AND sessions.ports > 1 AND dst_port IS NOT NULL;

CREATE VIEW hours AS
SELECT configuration, proto, src_hour, src_country, count(*) AS n FROM probes WHERE src_hour IS NOT NULL GROUP BY ALL;
-- All 24 hours, whether or not something came in them.
CREATE VIEW day AS
SELECT configuration, proto, hour, coalesce(sum(n), 0) AS n
FROM configurations CROSS JOIN (VALUES ('tcp'), ('udp')) AS protos(proto) CROSS JOIN range(24) AS hours_of_day(hour)
LEFT JOIN (SELECT configuration, proto, src_hour AS hour, n FROM hours) USING (configuration, proto, hour)
GROUP BY ALL;

-- Countries in the order of their scans; of equal ones the alphabetically first.
CREATE VIEW ranked_countries AS
SELECT *, row_number() OVER (PARTITION BY configuration, proto ORDER BY n DESC, src_country) AS place
FROM (
    SELECT configuration, proto, src_country, count(*) AS n
    FROM (FROM probes UNION ALL SELECT * REPLACE ('all' AS proto) FROM probes)
    WHERE src_country IS NOT NULL GROUP BY ALL
);

CREATE TABLE cells (file VARCHAR, key VARCHAR, configuration VARCHAR, value VARCHAR);

INSERT INTO cells
FROM counted('E1', 'techniques');

INSERT INTO cells
SELECT 'E1', 'all', configuration, CAST(count(*) AS VARCHAR) FROM probes GROUP BY configuration;

INSERT INTO cells
FROM counted('E2', 'tools');

INSERT INTO cells
SELECT 'E2', 'all', configuration, CAST(count(*) AS VARCHAR) FROM probes GROUP BY configuration;

INSERT INTO cells
SELECT 'E3-sizes', CAST(size AS VARCHAR), unnest(['net24', 'isp']),
    unnest([CAST(coalesce(sum(n) FILTER (kind LIKE '%/24'), 0) AS VARCHAR), CAST(coalesce(sum(n) FILTER (kind LIKE '%ISP'), 0) AS VARCHAR)])
FROM whole_sizes WHERE proto = 'tcp' AND kind LIKE 'horizontal%' AND configuration = getvariable('passive') GROUP BY size;

INSERT INTO cells
SELECT 'E3', unnest(['scans, ', 'share of size 1, ', 'size and number of scans: rank correlation, ', 'scans of the telescope''s size, ', 'scans of the five sizes below, '])
    || replace(kind, 'horizontal ', ''), configuration, unnest([CAST(scans AS VARCHAR), of_one, correlation, CAST(of_telescope AS VARCHAR), CAST(just_below AS VARCHAR)])
FROM size_measures WHERE proto = 'tcp' AND kind LIKE 'horizontal%' AND configuration = getvariable('passive');

INSERT INTO cells
FROM size_cells('E4-sizes-net24', 'tcp', 'horizontal by /24');

INSERT INTO cells
FROM size_cells('E4-sizes-isp', 'tcp', 'horizontal by ISP');

INSERT INTO cells
SELECT 'E4', unnest(['scans, ', 'share of size 1, ', 'scans of the telescope''s size, ']) || replace(kind, 'horizontal ', ''), configuration,
    unnest([CAST(scans AS VARCHAR), of_one, CAST(of_telescope AS VARCHAR)])
FROM size_measures WHERE proto = 'tcp' AND kind LIKE 'horizontal%';

INSERT INTO cells
SELECT 'E5', unnest(['sources', 'share of sources that scanned more than once', 'share of sessions that are theirs', 'share of scans that are theirs']), configuration,
    unnest([CAST(count(*) AS VARCHAR), share(count(*) FILTER (sessions > 1), count(*)), share(sum(sessions) FILTER (sessions > 1), sum(sessions)), share(sum(scans) FILTER (sessions > 1), sum(scans))])
FROM sources GROUP BY configuration;

INSERT INTO cells
SELECT 'E5', 'share of ' || shape || ' scans among sessions', configuration, share(count(*) FILTER (geometry = shape), count(*))
FROM sessions CROSS JOIN (VALUES ('point'), ('horizontal'), ('vertical'), ('block')) AS shapes(shape)
WHERE part = 'all' AND unit = 'src' GROUP BY configuration, shape;

INSERT INTO cells
FROM size_cells('E6-sizes', 'tcp', 'vertical');

INSERT INTO cells
SELECT 'E6', unnest(['scans', 'share below size 10', 'scans of size 100 and more', 'largest size']), configuration,
    unnest([CAST(scans AS VARCHAR), below_ten, CAST(hundred_and_more AS VARCHAR), largest])
FROM size_measures WHERE proto = 'tcp' AND kind = 'vertical';

INSERT INTO cells
SELECT 'E7', '/24s with ' || upper(wanted) || ' vertical scans above size ' || above, configurations.configuration, CAST(count(net) AS VARCHAR)
FROM configurations CROSS JOIN (VALUES ('tcp', 10), ('udp', 20)) AS sorts(wanted, above)
LEFT JOIN large_vertical ON large_vertical.configuration = configurations.configuration AND proto = wanted
GROUP BY ALL;

INSERT INTO cells
SELECT 'E7-networks', concat_ws(' ', large_vertical.configuration, net, proto), unnest(['scans', 'largest', 'country', 'asn', 'org']),
    unnest([CAST(scans AS VARCHAR), CAST(largest AS VARCHAR), coalesce(src_country, ''), coalesce(src_asn, ''), coalesce(src_org, '')])
FROM large_vertical JOIN networks USING (net);

INSERT INTO cells
FROM size_cells('E8-horizontal', 'udp', 'horizontal by /24');

INSERT INTO cells
FROM size_cells('E8-vertical', 'udp', 'vertical');

INSERT INTO cells
SELECT 'E8', unnest([kind || ' scans', 'share of ' || kind || ' scans below size 10']), configuration, unnest([CAST(scans AS VARCHAR), below_ten])
FROM (SELECT * REPLACE (split_part(kind, ' ', 1) AS kind) FROM size_measures WHERE proto = 'udp' AND kind <> 'horizontal by ISP');

INSERT INTO cells
SELECT 'E8', unnest(['/24s with large TCP scans', '/24s with large UDP scans', '/24s with both']), configuration,
    unnest([CAST(count(*) FILTER (tcp) AS VARCHAR), CAST(count(*) FILTER (udp) AS VARCHAR), CAST(count(*) FILTER (tcp AND udp) AS VARCHAR)])
FROM configurations LEFT JOIN (SELECT configuration, net, bool_or(proto = 'tcp') AS tcp, bool_or(proto = 'udp') AS udp FROM large GROUP BY ALL) USING (configuration)
GROUP BY configuration;

INSERT INTO cells
FROM counted('E9-tcp', 'tcp_ports');

INSERT INTO cells
FROM counted('E9-udp', 'udp_ports');

INSERT INTO cells
SELECT 'E9', upper(wanted) || ': ' || unnest(['most scanned', 'share of the two most scanned', 'share of ' || CASE wanted WHEN 'tcp' THEN '22 and 23' ELSE '1900 and 5060' END]), configurations.configuration,
    unnest([
        coalesce(string_agg(value, ' ' ORDER BY place) FILTER (place <= 2), ''),
        share(sum(n) FILTER (place <= 2), sum(n)),
        share(coalesce(sum(n) FILTER (value IN ('22', '23') AND wanted = 'tcp' OR value IN ('1900', '5060') AND wanted = 'udp'), 0), sum(n))])
FROM configurations CROSS JOIN (VALUES ('tcp'), ('udp')) AS protos(wanted)
LEFT JOIN (SELECT *, row_number() OVER (PARTITION BY configuration, proto ORDER BY n DESC, CAST(value AS INTEGER)) AS place FROM ports WHERE proto IN ('tcp', 'udp')) AS ports
    ON ports.configuration = configurations.configuration AND proto = wanted
GROUP BY configurations.configuration, wanted;

INSERT INTO cells
SELECT 'E9', upper(wanted) || ': of the top 20, in both lists', configurations.configuration, CAST(sum(shared) AS VARCHAR)
FROM configurations CROSS JOIN (
    SELECT wanted, count(value) AS shared FROM (VALUES ('tcp'), ('udp')) AS protos(wanted) LEFT JOIN (
        SELECT proto, value
        FROM (SELECT *, row_number() OVER (PARTITION BY configuration, proto ORDER BY n DESC, CAST(value AS INTEGER)) AS place FROM ports WHERE proto IN ('tcp', 'udp'))
        WHERE place <= 20 GROUP BY ALL HAVING count(*) = 2
    ) ON proto = wanted GROUP BY wanted
) WHERE (SELECT count(*) FROM configurations) = 2 GROUP BY ALL;

INSERT INTO cells
SELECT 'E10', unnest([upper(wanted) || ' ports scanned', upper(wanted) || ' ports in vertical scans', 'share of ' || upper(wanted) || ' ports in vertical scans']), configuration,
    unnest([CAST(ports_scanned AS VARCHAR), CAST(through AS VARCHAR), share(through, ports_scanned)])
FROM (
    SELECT configuration, wanted,
        (SELECT count(DISTINCT value) FROM ports WHERE ports.configuration = configurations.configuration AND proto = wanted AND value <> '') AS ports_scanned,
        (SELECT count(*) FROM through_vertical WHERE through_vertical.configuration = configurations.configuration AND proto = wanted) AS through
    FROM configurations CROSS JOIN (VALUES ('tcp'), ('udp')) AS protos(wanted)
);

INSERT INTO cells
SELECT 'E11', 'five countries with most scans', configuration, coalesce(string_agg(src_country, ' ' ORDER BY place) FILTER (place <= 5), '')
FROM configurations LEFT JOIN (FROM ranked_countries WHERE proto = 'all') USING (configuration) GROUP BY configuration;

INSERT INTO cells
SELECT 'E11', upper(proto) || unnest([' scans with a local hour', ': busiest hour', ': tie to the hour (Cramér''s V; 0 none, 1 all in one hour)']), configuration,
    unnest([CAST(sum(n) AS VARCHAR), CAST(arg_max(hour, (n, -CAST(hour AS INTEGER))) AS VARCHAR),
        printf('%.2f', sqrt((sum(n * n) * 24 / sum(n) - sum(n)) / (sum(n) * 23)))])
FROM day GROUP BY configuration, proto HAVING sum(n) > 0;

INSERT INTO cells
SELECT 'E11-' || configuration || '-' || proto, CAST(hour AS VARCHAR), unnest(['count', 'share']),
    unnest([CAST(n AS VARCHAR), CASE WHEN whole > 0 THEN printf('%.6f', n / whole) ELSE '' END])
FROM (SELECT *, sum(n) OVER (PARTITION BY configuration, proto) AS whole FROM day);

INSERT INTO cells
SELECT 'E11-' || five.configuration || '-' || five.proto, CAST(hour AS VARCHAR), five.src_country, CAST(coalesce(hours.n, 0) AS VARCHAR)
FROM ranked_countries AS five CROSS JOIN range(24) AS hours_of_day(hour)
LEFT JOIN hours ON hours.configuration = five.configuration AND hours.proto = five.proto AND hours.src_country = five.src_country AND hours.src_hour = hour
WHERE place <= 5 AND five.proto IN ('tcp', 'udp');

INSERT INTO cells
FROM counted('E12-countries', 'countries');

INSERT INTO cells
SELECT 'E12', unnest(['countries', 'share of scans without a country', 'share of the five largest']), configuration,
    unnest([CAST(count(*) FILTER (value <> '') AS VARCHAR), share(coalesce(sum(n) FILTER (value = ''), 0), sum(n)),
        share(sum(n) FILTER (value <> '' AND place <= 5), sum(n) FILTER (value <> ''))])
FROM (SELECT *, row_number() OVER (PARTITION BY configuration, value = '' ORDER BY n DESC, value) AS place FROM countries)
GROUP BY configuration;
