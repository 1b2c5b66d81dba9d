# When scans began, and how times are cut into bins.
# shellcheck shell=bash

# When the first and the last scan began: the rows are in order of time.
first() { sed -n '2{s/,.*//p;q}' "$1"; }
last() { tail -n 1 "$1" | cut -d, -f1; }

# A length of bins that gives a figure over the time of these rows 60 to 400 of them.
every() {
    awk -v first="$(first "$1")" -v last="$(last "$1")" '
        BEGIN { n = split("1s 5s 15s 1m 5m 15m 1h 3h 6h 1d 7d", names, " ")
                split("1 5 15 60 300 900 3600 10800 21600 86400 604800", steps, " ")
                for (i = 1; i < n && (last - first) / steps[i] > 400; i++);
                print names[i] }'
}

# The same as an axis writes it: 1h as hour, 15m as 15 minutes.
in_words() { sed -E 's/s$/ seconds/; s/m$/ minutes/; s/h$/ hours/; s/d$/ days/; s/^1 (.*)s$/\1/' <<<"$1"; }
