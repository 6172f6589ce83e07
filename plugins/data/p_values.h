// How likely a difference between two samples would be if nothing had changed.
//
// The chi-square distribution's upper tail, Fisher's exact test of a table of two by two, and the
// asymptotic distribution of the two-sample Kolmogorov-Smirnov distance.  Pure functions of numbers.
#pragma once

#include <vector>

namespace pipelined {

/// P(X >= statistic) for X distributed chi-square; REQUIRES: degrees >= 1.
double chi_square_tail(double statistic, int degrees);

/// A test of homogeneity over two rows of counts.
struct HomogeneityTest {
  double statistic = 0;  ///< chi-square, of all columns as they are
  int degrees = 0;       ///< columns that are not empty, less one
  double p = 1;          ///< see `test_homogeneity`
};

/// Whether two rows of counts come from the same shares.  Columns that expect less than 5 on a side
/// are joined for the p-value; a table of two columns that expects less than 10 somewhere gets its
/// p-value from Fisher's exact test instead.  p is 1 when fewer than two columns are left.
/// REQUIRES: both rows have the same length and a sum above 0.
HomogeneityTest test_homogeneity(const std::vector<double>& before, const std::vector<double>& now);

/// Two-sided p-value of Fisher's exact test of [[a, b], [c, d]]: the summed probability of all tables
/// with these margins that are no likelier than this one.
double fisher_exact(double a, double b, double c, double d);

/// P(D >= distance) for the two-sample Kolmogorov-Smirnov distance; asymptotic, with Stephens'
/// correction for the number of rows.
double kolmogorov_tail(double distance, double rows_before, double rows_now);

}  // namespace pipelined
