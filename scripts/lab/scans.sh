# shellcheck shell=bash disable=SC2154,SC2016
# Sourced by record, whose variables it uses: every command of the lab, with what is true of it by construction.
#
# The sources are the addresses that MaxMind's public test databases (and hence anyone's tests) know a place or a
# network for, and documentation addresses. They are labels inside the namespaces: their owners sent nothing.

# Addresses the scanners' own kernel has, so that it answers an unexpected SYN/ACK with RST. Sources that are in a
# command but not in this list are spoofed: nobody answers for them.
# shellcheck disable=SC2034
SOURCES=(
    89.160.20.{113..122}/32  # Sweden, AS29518
    81.2.69.{142..146}/32    # United Kingdom
    216.160.83.{56..60}/32   # United States, AS209
    175.16.199.{10..15}/32   # China
    67.43.156.{20..22}/32    # Bhutan, AS35908
    1.128.0.10/32 1.129.3.20/32 1.140.7.30/32 1.150.9.40/32  # Australia, AS1221, four networks
    12.81.92.9/32 12.83.4.5/32 12.90.1.2/32  # AS7018
    198.51.100.{7..12}/32    # documentation
    2001:480:10::{5..9}/128  # United States
    2001:db8:5ca1::1/128     # documentation
)

ALL=203.0.113.10-34  # the whole telescope
ALL6=2001:db8:113::0-7
OPEN_TCP=(21 22 23 53 80 8080)  # see honeypot
OPEN_UDP=(53 5060)

# Numbers in a list such as 22,80,1000-1009.
expand() {
    local part
    for part in ${1//,/ }; do seq "${part%-*}" "${part#*-}"; done
}

# Addresses in a list whose members are written with a range in the last part, separated by blanks.
expand_addresses() {
    local part
    for part in $1; do
        if [[ $part == *-* ]]; then
            local head=${part%-*}
            local separator=.
            [[ $part != *:* ]] || separator=:
            local first=${head##*"$separator"}
            seq -f "${head%"$separator"*}$separator%.0f" "$first" "${part#*-}"
        else
            echo "$part"
        fi
    done
}

COLUMNS_OF_TRUTH=id,campaign,start,end,tool,version,class,technique,syn_stack,open_handshake,proto,tcp_flags,icmp_type,sources,\
dsts,ports,dst_count,port_count,target_count,open_ports,open_count,packets,command

declare -A VERSION
version_of() {
    [[ -n ${VERSION[$1]:-} ]] || case $1 in
    nmap | nping) VERSION[$1]=$("$1" --version | sed -n 's/.*version \([0-9.]*\).*/\1/p' | head -1) ;;
    masscan) VERSION[$1]=$(masscan --version | sed -n 's/.*version \([0-9.]*\).*/\1/p' || true) ;;
    zmap) VERSION[$1]=$(zmap --version | sed 's/zmap //') ;;
    hping3) VERSION[$1]=$(hping3 -v | sed -n 's/hping3 version \([^ ]*\).*/\1/p') ;;
    os-stack) VERSION[$1]="Linux $(uname -r | cut -d. -f1,2)" ;;
    esac
    echo "${VERSION[$1]}"
}

declare -A FLAGS=([syn]=S [fin]=F [null]=. [xmas]=FPU [maimon]=FA [ack]=A)
declare -A ICMP=([icmp icmp-echo]=8 [icmp icmp-timestamp]=13 [icmp icmp-mask]=17 [icmp6 icmp-echo]=128)

# run ID key=value... -- COMMAND: runs it among the scanners and prints its line of truth.
#   tool, class, technique, proto, src, dst, ports   as in the columns
#   stack, handshake     who writes the SYN (raw, os); how it ends on an open port when something answers
#   flags, icmp          what the first packet of each probe says, where the technique does not already
#   packets              how many packets the command sends by itself when nothing answers, where it fixes that
#   targets              how many of the pairs of destination and port the command takes, where not all
#   campaign             a name shared by commands that act as one
#   route                the source address for tools that leave that to the routing table
run() {
    local id=$1 tool='' class=scan technique='' stack='' handshake='' proto=tcp src='' dst=$ALL ports='' packets=''
    local campaign='' route='' flags='' icmp='' targets='' start end status=0 open='' dst_count port_count port opens=()
    shift
    while [[ $1 != -- ]]; do
        local "${1?}"
        shift
    done
    shift
    [[ -z $route ]] || ip netns exec "$scanners" ip route replace 203.0.113.0/24 via 198.18.0.1 dev scan0 onlink src "$route"
    start=$(date +%s.%6N)
    ip netns exec "$scanners" "$@" >"$id.log" 2>&1 </dev/null || status=$?
    # hping3 and connect() scripts report a silent telescope as failure; check-capture says whether they ran.
    [[ $tool == hping3 || $tool == os-stack || $status -eq 0 ]] || { cat "$id.log" >&2; return 1; }
    sleep 0.3
    end=$(date +%s.%6N)
    dst_count=$(expand_addresses "$dst" | wc -l)
    port_count=0
    if [[ -n $ports ]]; then
        port_count=$(expand "$ports" | wc -l)
        [[ $proto != tcp ]] || opens=("${OPEN_TCP[@]}")
        [[ $proto != udp ]] || opens=("${OPEN_UDP[@]}")
        local asked
        asked=" $(expand "$ports" | tr '\n' ' ')"
        for port in "${opens[@]}"; do
            [[ $asked != *" $port "* ]] || open=${open:+$open,}$port
        done
    fi
    [[ $config == honeypot ]] || { open=; handshake=${handshake:+none}; }
    local open_count=0
    [[ -z $open ]] || open_count=$(($(expand "$open" | wc -l) * dst_count))
    [[ -z $targets ]] || open_count=
    # A part of a divided scan: how many targets is known, which ones is not.
    if [[ -n $targets ]]; then dst_count=; else targets=$((dst_count * (port_count > 0 ? port_count : 1))); fi
    [[ $proto != tcp || -n $flags ]] || flags=${FLAGS[$technique]}
    [[ $proto != icmp* || -n $icmp ]] || icmp=${ICMP[$proto $technique]}
    # bash -c 'script': the script is the command.
    [[ $1 != bash ]] || shift 2
    local words=$*
    printf '%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,"%s","%s","%s",%s,%d,%d,"%s",%s,%s,"%s"\n' \
        "$id" "$campaign" "$start" "$end" "$tool" "$(version_of "$tool")" "$class" "$technique" "$stack" "$handshake" \
        "$proto" "$flags" "$icmp" "$src" "$dst" "$ports" "$dst_count" "$port_count" "$targets" "$open" "$open_count" \
        "$packets" \
        "${words//\"/\"\"}"
}

# Waits until that many seconds after the recording began.
at() {
    local now
    now=$(date +%s)
    ((now >= began + $1)) || sleep $((began + $1 - now))
}

NMAP=(nmap -n -Pn -e scan0 -T4 --max-retries 0 --min-rate 100 --max-rate 300)
MASSCAN=(masscan --interface scan0 --router-mac "$tele_mac" --rate 300 --wait 1 --seed 20)
ZMAP=(zmap -i scan0 -G "$tele_mac" -b /dev/null -r 300 -c 1 -e 20 -o /dev/null -q --disable-syslog)

GROUPS_OF_SCANS=(syn_scans connects other_flags udp_scans icmp_scans other_protocols spread_out not_scans version_6)

# One group after the other, the slow scan beside them, and some sources again in the window after the next.
run_full() {
    begin
    local group
    slow_scan >slow.truth &
    local slow=$!
    nping_scan
    for group in "${GROUPS_OF_SCANS[@]}"; do "$group"; done
    at 330
    repeats
    wait $slow
    cat slow.truth
}

# All groups at once, in about a minute and a half: nothing in them depends on another.
run_quick() {
    begin
    slow_pause=1
    local group workers=() worker
    for group in slow_scan "${GROUPS_OF_SCANS[@]}"; do
        "$group" >"$group.truth" &
        workers+=("$!")
    done
    for worker in "${workers[@]}"; do wait "$worker"; done
    cat ./*.truth
}

begin() {
    cd "$work"
    began=$(date +%s)
    echo "$COLUMNS_OF_TRUTH"
}

# One address every fifteen seconds, the evasion that a window of 300 s splits in two; faster in a quick recording.
slow_pause=14
slow_scan() {
    run slow-syn tool=hping3 technique=syn stack=raw handshake=reset src=67.43.156.20 ports=3389 packets=25 -- \
        bash -c "for host in {10..34}; do hping3 -q -S -p 3389 -c 1 -a 67.43.156.20 203.0.113.\$host; sleep $slow_pause; done"
}

nping_scan() {
    # Nping 0.7.93 skips an address of a range and repeats another when its timer fires late: in every run tried while
    # it also listens for answers (hence -N), and in about one of ten without. check-capture tells; then record again.
    # For that reason it is no part of a quick recording.
    run nping-syn tool=nping technique=syn stack=raw handshake=reset src=216.160.83.56 ports=3306 packets=25 -- \
        nping --send-ip --tcp -p 3306 -c 1 --rate 30 -N -S 216.160.83.56 $ALL
}

syn_scans() {
    run nmap-syn tool=nmap technique=syn stack=raw handshake=reset src=89.160.20.113 ports=22,23,80,443,8080 \
        packets=125 -- "${NMAP[@]}" -sS -S 89.160.20.113 -p 22,23,80,443,8080 $ALL
    run nmap-syn-vertical tool=nmap technique=syn stack=raw handshake=reset src=81.2.69.142 dst=203.0.113.15 \
        ports=1-200 packets=200 -- "${NMAP[@]}" -sS -S 81.2.69.142 -p 1-200 203.0.113.15
    # Nmap sends a second try from another source port, so each is a probe of its own.
    run nmap-syn-retries tool=nmap technique=syn stack=raw handshake=reset src=81.2.69.143 ports=445,2323 \
        -- nmap -n -Pn -e scan0 -T4 --max-retries 2 --min-rate 100 --max-rate 300 -sS -S 81.2.69.143 \
        -p 445,2323 $ALL
    run masscan-syn tool=masscan technique=syn stack=raw handshake=reset src=175.16.199.10 \
        ports=22,23,80,443,3389,5900,8080,8443,9200,27017 packets=250 -- \
        "${MASSCAN[@]}" --source-ip 175.16.199.10 -p 22,23,80,443,3389,5900,8080,8443,9200,27017 203.0.113.10-203.0.113.34
    # All of the /24 is scanned; the telescope sees its own tenth of it.
    run zmap-syn tool=zmap technique=syn stack=raw handshake=reset src=216.160.83.57 ports=23 packets=25 -- \
        "${ZMAP[@]}" -S 216.160.83.57 -p 23 203.0.113.0/24
    run hping3-syn tool=hping3 technique=syn stack=raw handshake=reset src=198.51.100.7 ports=445 packets=75 -- \
        bash -c 'for host in {10..34}; do hping3 -q -S -p 445 -c 3 -i u20000 -a 198.51.100.7 203.0.113.$host & sleep 0.1; done; wait'
    run hping3-scan tool=hping3 technique=syn stack=raw handshake=reset src=198.51.100.8 dst=203.0.113.30 \
        ports=1-30 -- hping3 -S -a 198.51.100.8 --scan 1-30 203.0.113.30
    # One flow, four times: the same ports and sequence number.
    run hping3-retransmission tool=hping3 technique=syn stack=raw handshake=reset src=198.51.100.9 \
        dst=203.0.113.20 ports=5901 packets=4 -- \
        hping3 -q -S -s 40000 -k -p 5901 -M 12345 -c 4 -i u500000 -a 198.51.100.9 203.0.113.20
}

connects() {
    run nmap-connect tool=nmap technique=syn stack=os handshake=completed src=89.160.20.114 ports=22,80,443,3128 \
        route=89.160.20.114 packets=100 -- \
        nmap -n -Pn -T4 --max-retries 0 --max-rate 100 -sT -p 22,80,443,3128 $ALL
    # Linux itself sends the SYN again after one and after three seconds.
    run connect tool=os-stack technique=syn stack=os handshake=completed src=216.160.83.58 ports=23 \
        route=216.160.83.58 -- \
        bash -c 'for host in {10..34}; do timeout 4 bash -c "exec 3<>/dev/tcp/203.0.113.$host/23; cat <&3" & sleep 0.02; done; wait'
    # masscan brings a TCP of its own here, from an address that no kernel answers for.
    run masscan-banners tool=masscan technique=syn stack=raw handshake=completed src=175.16.199.99 ports=22,80 -- \
        "${MASSCAN[@]}" --banners --source-ip 175.16.199.99 --source-port 61000 -p 22,80 203.0.113.10-203.0.113.34
}

other_flags() {
    run nmap-fin tool=nmap technique=fin src=89.160.20.115 ports=22,139 packets=50 -- \
        "${NMAP[@]}" -sF -S 89.160.20.115 -p 22,139 $ALL
    run nmap-null tool=nmap technique=null src=89.160.20.116 ports=22,139 packets=50 -- \
        "${NMAP[@]}" -sN -S 89.160.20.116 -p 22,139 $ALL
    run nmap-xmas tool=nmap technique=xmas src=89.160.20.117 ports=22,139 packets=50 -- \
        "${NMAP[@]}" -sX -S 89.160.20.117 -p 22,139 $ALL
    run nmap-maimon tool=nmap technique=maimon src=89.160.20.118 ports=22,139 packets=50 -- \
        "${NMAP[@]}" -sM -S 89.160.20.118 -p 22,139 $ALL
    run nmap-ack tool=nmap technique=ack src=89.160.20.119 ports=22,139 packets=50 -- \
        "${NMAP[@]}" -sA -S 89.160.20.119 -p 22,139 $ALL
    # The window scan: what it makes of the answers differs, not what it sends.
    run nmap-window tool=nmap technique=ack src=89.160.20.121 ports=22,139 packets=50 -- \
        "${NMAP[@]}" -sW -S 89.160.20.121 -p 22,139 $ALL
    run nmap-all-flags tool=nmap technique=odd-flags flags=FSRPAU src=89.160.20.122 ports=22,139 packets=50 -- \
        "${NMAP[@]}" -sS --scanflags URGACKPSHRSTSYNFIN -S 89.160.20.122 -p 22,139 $ALL
    run nmap-fin-vertical tool=nmap technique=fin src=81.2.69.144 dst=203.0.113.12 ports=1-60 packets=60 -- \
        "${NMAP[@]}" -sF -S 81.2.69.144 -p 1-60 203.0.113.12
    run hping3-syn-fin tool=hping3 technique=odd-flags flags=FS src=198.51.100.10 ports=21 packets=25 -- \
        bash -c 'for host in {10..34}; do hping3 -q -S -F -p 21 -c 1 -a 198.51.100.10 203.0.113.$host & sleep 0.1; done; wait'
}

udp_scans() {
    # No packet count: Nmap sends several payloads to one port.
    run nmap-udp tool=nmap technique=udp proto=udp src=89.160.20.120 ports=53,123,161,1900,5060 -- \
        "${NMAP[@]}" -sU -S 89.160.20.120 -p 53,123,161,1900,5060 $ALL
    run nmap-udp-vertical tool=nmap technique=udp proto=udp src=81.2.69.145 dst=203.0.113.25 ports=1-60 -- \
        "${NMAP[@]}" -sU -S 81.2.69.145 -p 1-60 203.0.113.25
    run masscan-udp tool=masscan technique=udp proto=udp src=175.16.199.11 ports=53,161,1900,5683,11211 packets=125 -- \
        "${MASSCAN[@]}" --source-ip 175.16.199.11 -pU:53,U:161,U:1900,U:5683,U:11211 203.0.113.10-203.0.113.34
    run zmap-udp tool=zmap technique=udp proto=udp src=216.160.83.59 ports=5060 packets=25 -- \
        "${ZMAP[@]}" -M udp -S 216.160.83.59 -p 5060 203.0.113.0/24
}

icmp_scans() {
    run nmap-ping tool=nmap technique=icmp-echo proto=icmp src=67.43.156.21 -- \
        nmap -n -sn -PE -e scan0 -T4 --max-retries 0 --max-rate 200 -S 67.43.156.21 $ALL
    run nmap-timestamp tool=nmap technique=icmp-timestamp proto=icmp src=67.43.156.22 -- \
        nmap -n -sn -PP -e scan0 -T4 --max-retries 0 --max-rate 200 -S 67.43.156.22 $ALL
    run nmap-mask tool=nmap technique=icmp-mask proto=icmp src=198.51.100.11 -- \
        nmap -n -sn -PM -e scan0 -T4 --max-retries 0 --max-rate 200 -S 198.51.100.11 $ALL
    run zmap-ping tool=zmap technique=icmp-echo proto=icmp src=216.160.83.60 packets=25 -- \
        "${ZMAP[@]}" -M icmp_echoscan -S 216.160.83.60 203.0.113.0/24
    run masscan-ping tool=masscan technique=icmp-echo proto=icmp src=175.16.199.12 packets=25 -- \
        "${MASSCAN[@]}" --ping --source-ip 175.16.199.12 203.0.113.10-203.0.113.34
}

other_protocols() {
    run nmap-protocols tool=nmap technique=ip-proto proto=ip src=81.2.69.146 dst=203.0.113.10-14 ports=4,47,50,51,103 \
        packets=25 -- "${NMAP[@]}" -sO -S 81.2.69.146 -p 4,47,50,51,103 203.0.113.10-14
    run nmap-sctp-init tool=nmap technique=sctp-init proto=sctp src=12.81.92.9 ports=2905,36412 packets=50 -- \
        "${NMAP[@]}" -sY -S 12.81.92.9 -p 2905,36412 $ALL
    run nmap-sctp-cookie tool=nmap technique=sctp-cookie-echo proto=sctp src=12.83.4.5 ports=2905 packets=25 -- \
        "${NMAP[@]}" -sZ -S 12.83.4.5 -p 2905 $ALL
}

spread_out() {
    # Eight spoofed sources of one /24.
    run zmap-pool tool=zmap technique=syn stack=raw handshake=unanswered src=175.16.199.16-23 ports=8080 packets=25 \
        campaign=pool -- "${ZMAP[@]}" -S 175.16.199.16-175.16.199.23 -p 8080 203.0.113.0/24
    # Four networks of one AS share one masscan between them. 125 targets, so the first shard has one more.
    # They run at the same time.
    local shard=1 source shards=()
    for source in 1.128.0.10 1.129.3.20 1.140.7.30 1.150.9.40; do
        run masscan-shard-$shard tool=masscan technique=syn stack=raw handshake=reset src=$source \
            ports=21,25,110,143,993 campaign=shards targets=$((shard == 1 ? 32 : 31)) \
            packets=$((shard == 1 ? 32 : 31)) -- \
            "${MASSCAN[@]}" --source-ip $source --shard $shard/4 -p 21,25,110,143,993 203.0.113.10-203.0.113.34 &
        shards+=("$!")
        shard=$((shard + 1))
    done
    for shard in "${shards[@]}"; do wait "$shard"; done
    # Two spoofed decoys and the scanner.
    run nmap-decoys tool=nmap technique=syn stack=raw src='89.160.20.200 202.196.224.77 12.90.1.2' ports=1433 \
        packets=75 campaign=decoys -- "${NMAP[@]}" -sS -S 12.90.1.2 -D 89.160.20.200,202.196.224.77,ME -p 1433 $ALL
}

# Replies of victims to whoever spoofed the telescope, and the middle of a conversation nobody saw the start of.
not_scans() {
    run backscatter-synack tool=hping3 class=backscatter flags=SA src=202.196.224.10 packets=50 -- \
        bash -c 'for host in {10..34}; do hping3 -q -S -A -s 80 -k -p $((host * 997)) -c 2 -i u200000 -a 202.196.224.10 203.0.113.$host & sleep 0.1; done; wait'
    run backscatter-rst tool=hping3 class=backscatter flags=RA src=202.196.224.11 packets=25 -- \
        bash -c 'for host in {10..34}; do hping3 -q -R -A -s 443 -k -p $((host * 991)) -c 1 -a 202.196.224.11 203.0.113.$host & sleep 0.1; done; wait'
    run backscatter-unreachable tool=hping3 class=backscatter proto=icmp icmp=3 src=202.196.224.12 packets=25 -- \
        bash -c 'for host in {10..34}; do hping3 -q -1 -C 3 -K 3 --icmp-ipproto 17 --icmp-ipsrc 203.0.113.$host --icmp-ipdst 202.196.225.1 --icmp-srcport $((host * 983)) --icmp-dstport 53 -c 1 -a 202.196.224.12 203.0.113.$host & sleep 0.1; done; wait'
    # RFC 1035 section 4.1.1: ID 0x1234, QR and RD and RA set, one question: example.com, A, IN.
    printf '\x12\x34\x81\x80\0\1\0\0\0\0\0\0\7example\3com\0\0\1\0\1' >dns-answer
    run backscatter-dns tool=hping3 class=backscatter proto=udp src=202.196.224.13 packets=25 -- \
        bash -c 'for host in {10..34}; do hping3 -q -2 -s 53 -k -p $((host * 977)) -E dns-answer -d 29 -c 1 -a 202.196.224.13 203.0.113.$host & sleep 0.1; done; wait'
    run mid-stream tool=hping3 class=other flags=PA src=198.51.100.12 dst=203.0.113.10-19 ports=6667 packets=10 -- \
        bash -c 'for host in {10..19}; do hping3 -q -P -A -p 6667 -d 32 -c 1 -a 198.51.100.12 203.0.113.$host & sleep 0.1; done; wait'
}

version_6() {
    local nmap6=(nmap -6 -n -e scan0 --send-ip -T4 --max-retries 0 --min-rate 50 --max-rate 200)
    local all6=2001:db8:113::/125
    run nmap6-syn tool=nmap technique=syn stack=raw handshake=reset src=2001:480:10::5 dst=$ALL6 ports=22,80,443 \
        packets=24 -- "${nmap6[@]}" -Pn -sS -S 2001:480:10::5 -p 22,80,443 $all6
    run nmap6-null tool=nmap technique=null src=2001:480:10::6 dst=$ALL6 ports=22,139 packets=16 -- \
        "${nmap6[@]}" -Pn -sN -S 2001:480:10::6 -p 22,139 $all6
    run nmap6-udp tool=nmap technique=udp proto=udp src=2001:480:10::7 dst=$ALL6 ports=53,5060 -- \
        "${nmap6[@]}" -Pn -sU -S 2001:480:10::7 -p 53,5060 $all6
    run nmap6-ping tool=nmap technique=icmp-echo proto=icmp6 src=2001:480:10::8 dst=$ALL6 -- \
        "${nmap6[@]}" -sn -PE -S 2001:480:10::8 $all6
    run masscan6-syn tool=masscan technique=syn stack=raw handshake=reset src=2001:480:10::9 dst=$ALL6 \
        ports=22,23,80 packets=24 -- masscan --interface scan0 --router-mac-ipv6 "$tele_mac" --rate 300 --wait 1 \
        --seed 20 --source-ip 2001:480:10::9 -p 22,23,80 $all6
}

# The same sources again, later than one window of 300 s.
repeats() {
    run masscan-syn-again tool=masscan technique=syn stack=raw handshake=reset src=175.16.199.10 \
        ports=22,23,80,443,3389,5900,8080,8443,9200,27017 packets=250 -- \
        "${MASSCAN[@]}" --source-ip 175.16.199.10 -p 22,23,80,443,3389,5900,8080,8443,9200,27017 203.0.113.10-203.0.113.34
    run zmap-syn-again tool=zmap technique=syn stack=raw handshake=reset src=216.160.83.57 ports=23 packets=25 -- \
        "${ZMAP[@]}" -S 216.160.83.57 -p 23 203.0.113.0/24
    run nmap-syn-again tool=nmap technique=syn stack=raw handshake=reset src=89.160.20.113 ports=22,23,80 packets=75 -- \
        "${NMAP[@]}" -sS -S 89.160.20.113 -p 22,23,80 $ALL
}
