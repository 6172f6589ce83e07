#include "model/exact_sum.h"

#include <bit>
#include <cmath>

namespace pipelined::model {
namespace {

constexpr std::uint64_t low_bits = 0xFFFFFFFFU;
constexpr int bits_a_limb = 32;

}  // namespace

void ExactSum::add(double value) {
  const auto bits = std::bit_cast<std::uint64_t>(value);
  const auto exponent = static_cast<unsigned>((bits >> 52) & 0x7FFU);
  std::uint64_t mantissa = bits & ((std::uint64_t{1} << 52) - 1);
  if (exponent > 0) mantissa |= std::uint64_t{1} << 52;
  const unsigned position = exponent > 0 ? exponent - 1 : 0;  // of the lowest bit, from 2^-1074 on
  const std::size_t limb = position / bits_a_limb;
  const unsigned shift = position % bits_a_limb;
  const std::uint64_t low = (mantissa & low_bits) << shift;
  const std::uint64_t high = (mantissa >> bits_a_limb) << shift;
  const std::int64_t sign = bits >> 63 ? -1 : 1;
  limbs_[limb] += sign * static_cast<std::int64_t>(low & low_bits);
  limbs_[limb + 1] += sign * static_cast<std::int64_t>((low >> bits_a_limb) + (high & low_bits));
  limbs_[limb + 2] += sign * static_cast<std::int64_t>(high >> bits_a_limb);
  if (++adds_ == adds_max) carry();
}

void ExactSum::add_square(double value) {
  const double square = value * value;
  add(square);
  add(std::fma(value, value, -square));  // what rounding took from it
}

void ExactSum::merge(const ExactSum& other) {
  ExactSum normal = other;
  normal.carry();
  carry();
  for (std::size_t i = 0; i < limb_count; ++i) limbs_[i] += normal.limbs_[i];
  carry();
}

void ExactSum::carry() {
  std::int64_t over = 0;
  for (std::size_t i = 0; i + 1 < limb_count; ++i) {
    const std::int64_t whole = limbs_[i] + over;
    limbs_[i] = whole & static_cast<std::int64_t>(low_bits);
    over = whole >> bits_a_limb;
  }
  limbs_.back() += over;
  adds_ = 0;
}

Wide ExactSum::wide() const {
  ExactSum normal = *this;
  normal.carry();
  const bool negative = normal.limbs_.back() < 0;
  if (negative) {
    for (std::int64_t& limb : normal.limbs_) limb = -limb;
    normal.carry();
  }
  Wide sum = 0;
  Wide unit = 1;
  for (int i = 0; i < 1074; ++i) unit /= 2;
  constexpr double base = 4294967296.0;
  // The lowest digits first: each sum is exact until 113 bits are full.
  for (const std::int64_t limb : normal.limbs_) {
    sum += static_cast<Wide>(limb) * unit;
    unit *= static_cast<Wide>(base);
  }
  return negative ? -sum : sum;
}

std::vector<std::int64_t> ExactSum::digits() const {
  ExactSum normal = *this;
  normal.carry();
  return {normal.limbs_.begin(), normal.limbs_.end()};
}

Result<ExactSum> ExactSum::from_digits(const std::vector<std::int64_t>& digits) {
  ExactSum sum;
  if (digits.size() != limb_count) {
    return Error{ErrorCode::corrupt, "an exact sum has another number of digits"};
  }
  for (std::size_t i = 0; i < limb_count; ++i) {
    const bool last = i + 1 == limb_count;
    if (!last && (digits[i] < 0 || digits[i] > static_cast<std::int64_t>(low_bits))) {
      return Error{ErrorCode::corrupt, "a digit of an exact sum is out of range"};
    }
    if (last && (digits[i] > (1 << 30) || digits[i] < -(1 << 30))) {
      return Error{ErrorCode::corrupt, "an exact sum is too large"};
    }
    sum.limbs_[i] = digits[i];
  }
  return sum;
}

}  // namespace pipelined::model
