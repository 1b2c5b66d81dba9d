//! Random numbers that are the same on every machine.
//!
//! Only additions, multiplications and divisions are used: the mathematical functions of a system's library may differ
//! in the last bit, and with it every packet behind.

use std::f64::consts::LN_2;

/// SplitMix64 (Steele, Lea, Flood: Fast splittable pseudorandom number generators, OOPSLA 2014).
#[derive(Clone, Copy, Debug)]
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    #[inline]
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mix(self.0)
    }

    #[inline]
    pub(crate) fn u32(&mut self) -> u32 {
        (self.next() >> 32) as u32
    }

    #[inline]
    pub(crate) fn u16(&mut self) -> u16 {
        (self.next() >> 48) as u16
    }

    /// Uniform in 0..bound, by multiplication (Lemire 2019, without its correction: a bias below 2^-32).
    #[inline]
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        ((u128::from(self.next()) * u128::from(bound)) >> 64) as u64
    }

    /// Uniform from `least` to `most`, both included.
    #[inline]
    pub(crate) fn within(&mut self, least: u64, most: u64) -> u64 {
        least + self.below(most - least + 1)
    }

    /// Uniform in [0, 1).
    #[inline]
    pub(crate) fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / 9_007_199_254_740_992.0
    }

    /// True in so many of 1000 cases.
    #[inline]
    pub(crate) fn permille(&mut self, count: u32) -> bool {
        self.below(1000) < u64::from(count)
    }

    /// Exponentially distributed with mean 1.
    pub(crate) fn exponential(&mut self) -> f64 {
        -ln(1.0 - self.unit())
    }

    /// One of the words, drawn by its weight.
    pub(crate) fn weighted<T: Copy>(&mut self, choices: &[(T, u32)]) -> T {
        let total: u64 = choices.iter().map(|(_, weight)| u64::from(*weight)).sum();
        let mut at = self.below(total);
        for (choice, weight) in choices {
            if at < u64::from(*weight) {
                return *choice;
            }
            at -= u64::from(*weight);
        }
        choices[choices.len() - 1].0
    }
}

/// The finaliser of SplitMix64: a bijection that leaves no pattern.
#[inline]
pub(crate) fn mix(mut z: u64) -> u64 {
    z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ z >> 31
}

/// Natural logarithm of a positive normal number: ln m = 2 artanh((m - 1) / (m + 1)).
pub(crate) fn ln(x: f64) -> f64 {
    let bits = x.to_bits();
    let mut exponent = (bits >> 52) as i32 - 1023;
    let mut m = f64::from_bits(bits & 0x000f_ffff_ffff_ffff | 0x3ff0_0000_0000_0000);
    if m > std::f64::consts::SQRT_2 {
        m *= 0.5;
        exponent += 1;
    }
    let s = (m - 1.0) / (m + 1.0);
    let square = s * s;
    let mut sum = 0.0;
    for odd in (1..=17).rev().step_by(2) {
        sum = sum * square + 1.0 / f64::from(odd);
    }
    2.0 * s * sum + f64::from(exponent) * LN_2
}

/// e to the power of x, for |x| below 700.
pub(crate) fn exp(x: f64) -> f64 {
    let k = (x / LN_2 + 1024.5) as i64 - 1024;
    let r = x - k as f64 * LN_2;
    let mut sum = 1.0;
    for n in (1..=13).rev() {
        sum = sum * r / f64::from(n) + 1.0;
    }
    sum * f64::from_bits(((k + 1023) as u64) << 52)
}

/// How a number varies from one source to the next.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Size {
    Just(u32),
    /// Uniform, both ends included.
    Even(u32, u32),
    /// Uniform in its logarithm.
    Log(u32, u32),
    /// Bounded Pareto: exponent, least, most. Most are small, the few large ones make most of the sum.
    Heavy(f64, u32, u32),
    /// Whatever the bound is, in so many of 1000 cases; else bounded Pareto of exponent 1.
    AllOrHeavy(u32),
}

impl Size {
    /// Draws one, at most `bound`.
    pub(crate) fn draw(self, random: &mut Random, bound: u32) -> u32 {
        let size = match self {
            Self::Just(size) => size,
            Self::Even(least, most) => random.within(least.into(), most.into()) as u32,
            Self::Log(least, most) => {
                let (low, high) = (ln(f64::from(least)), ln(f64::from(most) + 1.0));
                exp(low + random.unit() * (high - low)) as u32
            }
            Self::Heavy(exponent, least, most) => heavy(random, exponent, least, most),
            Self::AllOrHeavy(all) if random.permille(all) => bound,
            Self::AllOrHeavy(_) => heavy(random, 1.0, 1, bound),
        };
        size.clamp(1, bound.max(1))
    }
}

fn heavy(random: &mut Random, exponent: f64, least: u32, most: u32) -> u32 {
    let power = |x: f64| exp(-exponent * ln(x));
    let (low, high) = (power(f64::from(least)), power(f64::from(most) + 1.0));
    let at = low - random.unit() * (low - high);
    exp(-ln(at) / exponent) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_agree_with_the_system_library() {
        for i in 1..20_000 {
            let x = f64::from(i) * 0.0137 + 1e-9;
            assert!((ln(x) - x.ln()).abs() < 1e-12 * x.ln().abs().max(1.0), "ln {x}");
            let y = f64::from(i) * 0.01 - 100.0;
            assert!((exp(y) / y.exp() - 1.0).abs() < 1e-11, "exp {y}");
        }
    }

    /// The first values of the reference implementation for seed 1234567
    /// (Vigna, splitmix64.c; quoted in the tests of several libraries).
    #[test]
    fn splitmix64_is_the_published_one() {
        let mut random = Random::new(1_234_567);
        let values: Vec<u64> = (0..3).map(|_| random.next()).collect();
        assert_eq!(values, [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423]);
    }

    #[test]
    fn means_are_what_the_distributions_say() {
        let mut random = Random::new(7);
        let mean = |size: Size, random: &mut Random| {
            (0..200_000).map(|_| f64::from(size.draw(random, u32::MAX - 1))).sum::<f64>() / 200_000.0
        };
        assert!((mean(Size::Even(1, 9), &mut random) - 5.0).abs() < 0.02);
        // Continuous bounded Pareto of exponent 2 on [1, 1001): 2 (1 - 1/1001) / (1 - 1/1001^2) = 1.998; rounding
        // down gives the sum of P(X >= k) = pi^2/6 = 1.645 for the tail without a bound.
        assert!((mean(Size::Heavy(2.0, 1, 1000), &mut random) - 1.643).abs() < 0.03);
        let waits = (0..200_000).map(|_| random.exponential()).sum::<f64>() / 200_000.0;
        assert!((waits - 1.0).abs() < 0.01);
    }
}
