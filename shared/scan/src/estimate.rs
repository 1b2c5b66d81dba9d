//! What a small telescope says of the whole Internet.
//!
//! A source that probes uniformly chosen addresses meets a telescope of N addresses of a space of S as a Poisson
//! process of rate r·N/S (Moore et al., "Network Telescopes", CAIDA technical report, 2004).

/// Addresses of IPv4.
pub const IPV4: f64 = 4_294_967_296.0;

/// The quantile of 95 % of the normal distribution, both sides.
const Z: f64 = 1.959_963_984_540_054;

/// An estimate and its 95 % confidence interval.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Interval {
    /// The estimate.
    pub value: f64,
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

/// The probability that a source of `rate` packets/s Internet-wide is seen again by `size` addresses within `seconds`.
pub fn seen_again(rate: f64, size: u64, seconds: f64) -> f64 {
    // exp_m1 keeps its digits where the probability is tiny.
    -(-rate * size as f64 / IPV4 * seconds).exp_m1()
}

/// The time, in seconds, within which such a source is seen again with this probability:
/// T = −ln(1−c) / (r·N/S).
pub fn timeout(probability: f64, rate: f64, size: u64) -> f64 {
    -(-probability).ln_1p() / (rate * size as f64 / IPV4)
}

/// The mean of a Poisson distribution of which `count` events were seen, by Byar's approximation (Breslow and Day,
/// "Statistical Methods in Cancer Research" II, IARC 1987, §2.3).
pub fn poisson(count: u64) -> Interval {
    let n = count as f64;
    let part = |n: f64, z: f64| {
        let root = 1.0 - 1.0 / (9.0 * n) + z / (3.0 * n.sqrt());
        n * root * root * root
    };
    let low = if count == 0 { 0.0 } else { part(n, -Z).max(0.0) };
    Interval { value: n, low, high: part(n + 1.0, Z) }
}

/// The Internet-wide rate, in packets/s, of a source of which `size` addresses got `probes` within `seconds`. `None`
/// for no time at all.
pub fn rate(probes: u64, seconds: f64, size: u64) -> Option<Interval> {
    let factor = IPV4 / size as f64 / seconds;
    if !factor.is_finite() || seconds <= 0.0 {
        return None;
    }
    let Interval { value, low, high } = poisson(probes);
    Some(Interval { value: value * factor, low: low * factor, high: high * factor })
}

/// The share of all addresses that a scan met, of which it met `dsts` of `size`, by Wilson's score interval (Journal of
/// the American Statistical Association 22, 1927). `None` where it met more than there are.
pub fn coverage(dsts: u64, size: u64) -> Option<Interval> {
    if dsts > size || size == 0 {
        return None;
    }
    let (n, p, z2) = (size as f64, dsts as f64 / size as f64, Z * Z);
    let centre = (p + z2 / (2.0 * n)) / (1.0 + z2 / n);
    let half = Z / (1.0 + z2 / n) * (p * (1.0 - p) / n + z2 / (4.0 * n * n)).sqrt();
    let low = if dsts == 0 { 0.0 } else { (centre - half).max(0.0) };
    let high = if dsts == size { 1.0 } else { (centre + half).min(1.0) };
    Some(Interval { value: p, low, high })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(a: f64, b: f64, relative: f64) {
        assert!((a / b - 1.0).abs() < relative, "{a} is not {b}");
    }

    /// The time-outs that were published.
    #[test]
    fn published_timeouts() {
        // Merit darknet-events: 475,136 addresses, 100 packets/s, 99.9 %: 624 s.
        near(timeout(0.999, 100.0, 475_136), 624.4, 1e-4);
        assert!((seen_again(100.0, 475_136, timeout(0.999, 100.0, 475_136)) - 0.999).abs() < 1e-12);
    }

    /// Exact limits of the Poisson mean (Garwood 1936), as printed in tables; Byar is within a few per cent of them.
    #[test]
    fn poisson_tables() {
        for (count, low, high) in [(5, 1.62, 11.67), (10, 4.80, 18.39), (100, 81.36, 121.63)] {
            let found = poisson(count);
            near(found.low, low, 0.03);
            near(found.high, high, 0.01);
        }
        assert_eq!(poisson(0).low, 0.0);
        near(poisson(0).high, 3.69, 0.1);
    }

    /// Wilson's interval worked out by hand for 5 of 25.
    #[test]
    fn wilson() {
        let found = coverage(5, 25).unwrap();
        near(found.low, 0.0886, 1e-3);
        near(found.high, 0.3913, 1e-3);
        assert_eq!(coverage(25, 25).unwrap().high, 1.0);
        assert!(coverage(26, 25).is_none());
    }

    #[test]
    fn no_time_no_rate() {
        assert!(rate(5, 0.0, 25).is_none());
        near(rate(25, 1.0, 25).unwrap().value, IPV4, 1e-12);
    }
}
