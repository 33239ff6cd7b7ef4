//! Paired comparisons of decisions on the same rows.

use statrs::distribution::{Binomial, ChiSquared, ContinuousCDF, DiscreteCDF};

/// `McNemar`'s test.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct McNemar {
    /// `(|b − c| − 1)² / (b + c)` with the continuity correction, or `min(b, c)` for the exact test.
    pub statistic: f64,
    /// Two-sided.
    pub p_value: f64,
    /// Whether the exact binomial was used: fewer than 25 discordant rows.
    pub exact: bool,
}

/// `McNemar`'s test (1947) of equal accuracy: `b` rows that only the first decides rightly, `c` only the second. Exact
/// binomial below 25 discordant rows, else chi-squared with continuity correction (Edwards 1948).
#[must_use]
pub fn mcnemar(b: u64, c: u64) -> McNemar {
    let discordant = b.saturating_add(c);
    if discordant < 25 {
        let fewer = b.min(c);
        let tail = Binomial::new(0.5, discordant).map_or(1.0, |binomial| binomial.cdf(fewer));
        return McNemar {
            statistic: fewer as f64,
            p_value: (2.0 * tail).min(1.0),
            exact: true,
        };
    }
    // Equal counts are as far from a difference as can be: the correction must not make them look different.
    let distance = (b.abs_diff(c) as f64 - 1.0).max(0.0);
    let statistic = distance * distance / discordant as f64;
    McNemar {
        statistic,
        p_value: ChiSquared::new(1.0).map_or(1.0, |distribution| distribution.sf(statistic)),
        exact: false,
    }
}

/// A difference on paired rows and its standard error.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PairedDifference {
    /// First minus second.
    pub difference: f64,
    /// The centre of its interval.
    pub centre: f64,
    /// Its standard error.
    pub standard_error: f64,
}

/// The difference of two proportions on the same `n` rows with Bonett and Price's adjusted Wald interval (2012): one
/// discordant row is added to either side, so that few discordant rows do not look like certainty.
#[must_use]
pub fn paired_proportions(b: u64, c: u64, n: u64) -> PairedDifference {
    let adjusted = n as f64 + 2.0;
    let first = (b as f64 + 1.0) / adjusted;
    let second = (c as f64 + 1.0) / adjusted;
    let centre = first - second;
    PairedDifference {
        difference: (b as f64 - c as f64) / n as f64,
        centre,
        standard_error: ((first + second - centre * centre) / adjusted).sqrt(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_discordance_is_no_difference() {
        assert_eq!(mcnemar(0, 0).p_value, 1.0);
        assert_eq!(mcnemar(30, 30).p_value, 1.0);
        assert_eq!(mcnemar(5, 5).p_value, 1.0);
    }

    #[test]
    fn few_discordant_rows_are_tested_exactly() {
        let test = mcnemar(1, 9);
        assert!(test.exact);
        assert!((test.p_value - 22.0 / 1024.0).abs() < 1e-12);
    }

    #[test]
    fn no_discordant_row_is_still_uncertain() {
        let paired = paired_proportions(0, 0, 98);
        assert_eq!(paired.difference, 0.0);
        assert!((paired.standard_error - (0.02_f64 / 100.0).sqrt()).abs() < 1e-15);
    }
}
