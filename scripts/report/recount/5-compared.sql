-- The cells of E13, after docs/REPORT.md: How two configurations are compared. Left out is what random draws made: the noise
-- of halves of the addresses, intervals of the bootstrap, and p, which check-stattests holds against SciPy.
--
-- In: the variables `first` and `second`, names of configurations. In the table E13 a row is `table what`.

-- Counts to compare: of the values of a column, or of sizes, in each configuration and in the halves of the first one's time.
CREATE TABLE compared AS
WITH every AS (
    SELECT probes.*, part FROM probes JOIN parts USING (configuration, id)
)
SELECT 'E1 techniques' AS row, 'shares' AS test, configuration, part, technique AS value, count(*) AS n FROM every GROUP BY ALL
UNION ALL SELECT 'E2 tools', 'shares', configuration, part, coalesce(tool, ''), count(*) FROM every GROUP BY ALL
UNION ALL SELECT 'E12 countries', 'shares', configuration, part, src_country, count(*) FROM every WHERE src_country IS NOT NULL GROUP BY ALL
UNION ALL SELECT 'E5 geometry of sessions', 'shares', configuration, part, geometry, count(*) FROM sessions WHERE unit = 'src' GROUP BY ALL
UNION ALL SELECT 'E9 ' || upper(proto) || ' ports', 'shares', configuration, part, coalesce(dst_port, ''), count(*)
FROM every WHERE proto IN ('tcp', 'udp') GROUP BY ALL
UNION ALL SELECT 'E11 ' || upper(proto) || ', local hours', 'shares', configuration, part, CAST(src_hour AS VARCHAR), count(*)
FROM every WHERE proto IN ('tcp', 'udp') AND src_hour IS NOT NULL GROUP BY ALL
UNION ALL SELECT CASE kind || proto
        WHEN 'horizontal by /24tcp' THEN 'E4 TCP horizontal sizes, by /24' WHEN 'horizontal by ISPtcp' THEN 'E4 TCP horizontal sizes, by ISP'
        WHEN 'verticaltcp' THEN 'E6 TCP vertical sizes' WHEN 'horizontal by /24udp' THEN 'E8 UDP horizontal sizes'
        WHEN 'verticaludp' THEN 'E8 UDP vertical sizes' END AS row,
    'sizes', configuration, part, CAST(size AS VARCHAR), n
FROM sizes WHERE row IS NOT NULL;

-- The pairs: both configurations, and the halves of the first.
CREATE TABLE pairs AS
SELECT row, test, 'configurations' AS pair, value,
    coalesce(sum(n) FILTER (configuration = getvariable('first')), 0) AS a,
    coalesce(sum(n) FILTER (configuration = getvariable('second')), 0) AS b
FROM compared WHERE part = 'all' GROUP BY ALL
UNION ALL
SELECT row, test, 'time', value, coalesce(sum(n) FILTER (part = 'early'), 0), coalesce(sum(n) FILTER (part = 'late'), 0)
FROM compared WHERE configuration = getvariable('first') AND part <> 'all' GROUP BY ALL;
-- What only one of two has cannot be compared.
DELETE FROM pairs WHERE (row, pair) IN (SELECT (row, pair) FROM pairs GROUP BY row, pair HAVING sum(a) = 0 OR sum(b) = 0);

-- Pearson's chi-square over the fifty most frequent values that were met ten times or more in both configurations together, and
-- the rest; its effect is Cramér's V, for two rows the root of chi-square by n.
CREATE VIEW chi_square AS
WITH frequent AS (
    SELECT row, value FROM pairs WHERE test = 'shares' AND pair = 'configurations'
    QUALIFY row_number() OVER (PARTITION BY row ORDER BY a + b DESC, value) <= 50 AND a + b >= 10
), view AS (
    SELECT row, pair, CASE WHEN (row, value) IN (SELECT (row, value) FROM frequent) THEN value END AS value, sum(a) AS a, sum(b) AS b
    FROM pairs WHERE test = 'shares' GROUP BY ALL HAVING sum(a) + sum(b) > 0
), sums AS (
    SELECT *, sum(a) OVER (PARTITION BY row, pair) AS all_a, sum(b) OVER (PARTITION BY row, pair) AS all_b FROM view
)
SELECT row, pair, count(*) - 1 AS freedom, CASE WHEN freedom = 0 THEN 0 ELSE sum(
    pow(a - (a + b) * all_a / (all_a + all_b), 2) / ((a + b) * all_a / (all_a + all_b))
    + pow(b - (a + b) * all_b / (all_a + all_b), 2) / ((a + b) * all_b / (all_a + all_b))
) END AS statistic, sqrt(statistic / any_value(all_a + all_b)) AS effect
FROM sums GROUP BY row, pair;

-- Kolmogorov and Smirnov: the largest distance of the distribution functions.
CREATE VIEW kolmogorov_smirnov AS
SELECT row, pair, max(abs(below_a - below_b)) AS effect
FROM (
    SELECT row, pair, sum(a) OVER upward / sum(a) OVER every AS below_a, sum(b) OVER upward / sum(b) OVER every AS below_b
    FROM pairs WHERE test = 'sizes'
    WINDOW every AS (PARTITION BY row, pair), upward AS (PARTITION BY row, pair ORDER BY CAST(value AS INTEGER))
)
GROUP BY row, pair;

CREATE MACRO percent(share) AS printf('%.1f', 100 * share) || ' %';

INSERT INTO cells
SELECT 'E13', row, configuration,
    CAST(sum(n) AS VARCHAR) || '; ' || percent(coalesce(sum(n) FILTER (CAST(value AS INTEGER) < 10), 0) / sum(n)) || ' below 10'
FROM compared WHERE part = 'all' AND test = 'sizes' AND (row, 'configurations') IN (SELECT (row, pair) FROM pairs)
GROUP BY row, configuration;

-- The most frequent value and its share; of equal ones the first in the order of texts.
INSERT INTO cells
SELECT 'E13', row, configuration, value || ': ' || percent(n / whole)
FROM (
    SELECT *, sum(n) OVER (PARTITION BY row, configuration) AS whole
    FROM compared WHERE part = 'all' AND test = 'shares' AND (row, 'configurations') IN (SELECT (row, pair) FROM pairs)
)
QUALIFY row_number() OVER (PARTITION BY row, configuration ORDER BY n DESC, value) = 1;

INSERT INTO cells SELECT 'E13', row, 'effect', 'V = ' || printf('%.3f', effect) FROM chi_square WHERE pair = 'configurations';
INSERT INTO cells SELECT 'E13', row, 'effect', 'D = ' || printf('%.3f', effect) FROM kolmogorov_smirnov WHERE pair = 'configurations';
INSERT INTO cells SELECT 'E13-tests', row, 'statistic', printf('%.1f', statistic) || ' (' || freedom || ' df)' FROM chi_square WHERE pair = 'configurations';
INSERT INTO cells SELECT 'E13-tests', row, 'statistic', printf('%.4f', effect) FROM kolmogorov_smirnov WHERE pair = 'configurations';
INSERT INTO cells
SELECT 'E13', row, 'noise_time', printf('%.3f', effect)
FROM (SELECT row, pair, effect FROM chi_square UNION ALL FROM kolmogorov_smirnov)
WHERE pair = 'time' AND row IN (SELECT row FROM pairs WHERE pair = 'configurations');

-- Scans per address and day: the mean over hours where both captures last two days or more, times 24 over the addresses; else the
-- mean over addresses over the days. Hours without a scan between the first and the last count.
CREATE TABLE rates AS
WITH spans AS (
    SELECT configuration, (CAST(arg_max(ts, id) AS DOUBLE) - CAST(arg_min(ts, id) AS DOUBLE)) / 86400 AS days,
        max(t) // 3600000000000 - min(t) // 3600000000000 + 1 AS hours, count(DISTINCT dst_ip) AS addresses
    FROM probes GROUP BY configuration
)
SELECT configuration, upper(wanted) AS proto, count(id) AS scans,
    CASE WHEN (SELECT min(days) FROM spans) >= 2 THEN scans / any_value(hours) * 24 / any_value(addresses)
        ELSE scans / any_value(addresses) / any_value(days) END AS rate
FROM spans CROSS JOIN (VALUES ('tcp'), ('udp')) AS protos(wanted)
LEFT JOIN (SELECT configuration, proto, id FROM probes) AS probes USING (configuration)
WHERE proto = wanted GROUP BY configuration, wanted;
INSERT INTO cells
SELECT 'E13', 'E1 ' || first.proto || ' scans per address and day', unnest([first.configuration, second.configuration, 'effect']),
    unnest([printf('%.1f', first.rate), printf('%.1f', second.rate), 'ratio = ' || printf('%.3f', second.rate / first.rate)])
FROM rates AS first JOIN rates AS second USING (proto)
WHERE first.configuration = getvariable('first') AND second.configuration = getvariable('second');

-- Sources that only one configuration saw, as a share of its own.
CREATE TABLE seen AS
SELECT configuration, part, list(DISTINCT src_ip) AS sources FROM probes JOIN parts USING (configuration, id) GROUP BY ALL;
CREATE MACRO missing(own, other) AS len(list_filter(own, lambda source: NOT list_contains(other, source)));
INSERT INTO cells
SELECT file, 'E5 sources that only it saw (informed, RAID 2025)', col, value
FROM (
    SELECT unnest([
        {file: 'E13', col: getvariable('first'), value: percent(missing(a.sources, b.sources) / len(a.sources))},
        {file: 'E13', col: getvariable('second'), value: percent(missing(b.sources, a.sources) / len(b.sources))},
        {file: 'E13', col: 'effect', value: 'share = ' || printf('%.3f', missing(b.sources, a.sources) / len(b.sources))},
        {file: 'E13-tests', col: 'statistic', value: missing(b.sources, a.sources) || ' of ' || len(b.sources)},
        {file: 'E13', col: 'noise_time', value: printf('%.3f', missing(late.sources, early.sources) / len(late.sources))}
    ], recursive := true)
    FROM seen AS a, seen AS b, seen AS early, seen AS late
    WHERE a.configuration = getvariable('first') AND a.part = 'all' AND b.configuration = getvariable('second') AND b.part = 'all'
        AND early.configuration = a.configuration AND early.part = 'early' AND late.configuration = a.configuration AND late.part = 'late'
);

-- How far sources went: the best of what they did to one port of one address. A try is new after ten minutes; completed at its
-- first SYN it is one-phase, at a later one two-phase.
CREATE TABLE tries AS
WITH syns AS (
    SELECT configuration, src_ip, concat_ws(' ', src_ip, dst_ip, dst_port) AS target, handshake = 'completed' AS completed, t, id,
        row_number() OVER (PARTITION BY configuration, src_ip, dst_ip, dst_port ORDER BY id) AS nth
    FROM probes WHERE proto = 'tcp' AND handshake IS NOT NULL
), walk AS (
    WITH RECURSIVE walk AS (
        SELECT configuration, src_ip, target, nth, t AS begun, CASE WHEN completed THEN 2 ELSE 1 END AS label FROM syns WHERE nth = 1
        UNION ALL
        SELECT syn.configuration, syn.src_ip, syn.target, syn.nth,
            CASE WHEN syn.t - begun > 600000000000 THEN syn.t ELSE begun END,
            CASE WHEN syn.t - begun > 600000000000 THEN CASE WHEN completed THEN 2 ELSE 1 END
                WHEN completed AND label = 1 THEN 3 ELSE label END
        FROM walk JOIN syns AS syn ON syn.configuration = walk.configuration AND syn.target = walk.target AND syn.nth = walk.nth + 1
    )
    FROM walk
)
SELECT configuration, src_ip, max(label) AS label FROM walk GROUP BY ALL;
CREATE VIEW labels AS
SELECT configuration, CASE label WHEN 1 THEN 'stateless' WHEN 2 THEN 'one-phase' ELSE 'two-phase' END AS value, count(*) AS n FROM tries GROUP BY ALL;
INSERT INTO cells
FROM counted('E13-labels', 'labels');
