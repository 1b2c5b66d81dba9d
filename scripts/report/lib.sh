# What the scripts of the tables share. Each reads what `rows` and `counts` wrote and stands in the output folder, so that its
# pipelines can be copied as they are: cd out, then paste. Each row of a count stands for `count` probes or sessions.
# shellcheck shell=bash disable=SC2034  # its variables are for the scripts that read it
set -euo pipefail

report=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
table=$(basename "$0")
cd "${OUT:-out}"
mapfile -t configs <configurations
series=$(IFS=,; echo "${configs[*]}")
telescope_size=$(<telescope-size)

# The files of one kind of count, in the order of the configurations: counts WHAT
counts() { printf "counts/$1/%s.csv\n" "${configs[@]}"; }

# hist, for a figure, unless tables alone are wanted.
figure() { [[ -n ${NO_FIGURES:-} ]] || hist "$@"; }

# Some columns of a file of rows, in the order of the file: columns FILE NAME,... They must stand in front of the first quoted
# cell, as all do but the name of a network's holder. awk takes five times as long to split whole rows.
columns() {
    cut -d, -f"$(head -n 1 "$1" | tr , '\n' | grep -nxFf <(tr , '\n' <<<"$2") | cut -d: -f1 | paste -sd,)" "$1"
}

# Whether there is a configuration of this name.
has() { [[ " ${configs[*]} " == *" $1 "* ]]; }

# The configuration of tables that the study made of its passive telescope: `passive`, or the one capture there is.
passive() { printf '%s\n' "${configs[@]}" | grep -vx honeypot | head -n 1; }

# Says why there is no such table, on the page as well, and ends the script.
skip() {
    echo "$1" >"$table.skipped"
    echo "$table: $1" >&2
    exit 0
}

# One line of a table of measures: what, of which configuration, how much.
measure() { printf '%s\t%s\t%s\n' "$1" "$2" "$3"; }

# Of a table that hist made, how much of its second column has a first column such as '$1 < 10'; and the same as a sum.
share() { awk -F, "NR > 1 { all += \$2 } NR > 1 && ($1) { part += \$2 } END { if (all) printf \"%.4f\", part / all }" "$2"; }
total() { awk -F, "NR > 1 && (${2:-1}) { all += \$2 } END { printf \"%d\", all }" "$1"; }

# When the first and the last scan began: the rows are in order of time.
first() { sed -n '2{s/,.*//p;q}' "$1"; }
last() { tail -n 1 "$1" | cut -d, -f1; }

# A length of bins that gives a figure over the time of all configurations 60 to 400 of them.
every() {
    for config in "${configs[@]}"; do echo "$(first "probes/$config.csv") $(last "probes/$config.csv")"; done |
        awk '{ if ($2 - $1 > span) span = $2 - $1 }
             END { n = split("1s 5s 15s 1m 5m 15m 1h 3h 6h 1d 7d", names, " ")
                   split("1 5 15 60 300 900 3600 10800 21600 86400 604800", steps, " ")
                   for (i = 1; i < n && span / steps[i] > 400; i++);
                   print names[i] }'
}

# The same as an axis writes it: 1h as hour, 15m as 15 minutes.
in_words() { sed -E 's/s$/ seconds/; s/m$/ minutes/; s/h$/ hours/; s/d$/ days/; s/^1 (.*)s$/\1/'; }
