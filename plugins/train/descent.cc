#include "plugins/train/descent.h"

#include <algorithm>
#include <cmath>
#include <fstream>

namespace pipelined::train {
namespace {

constexpr std::size_t steps_remembered = 10;

double dot(std::span<const double> left, std::span<const double> right) {
  double sum = 0;
  for (std::size_t i = 0; i < left.size(); ++i) sum += left[i] * right[i];
  return sum;
}

void add(std::vector<double>& target, double factor, std::span<const double> other) {
  for (std::size_t i = 0; i < target.size(); ++i) target[i] += factor * other[i];
}

// The direction that the last steps suggest: the two loops of L-BFGS.
std::vector<double> direction_of(const DescentState& state, std::vector<double> down) {
  const std::size_t count = state.moves.size();
  if (count == 0) return down;
  std::vector<double> shares(count);
  for (std::size_t i = count; i-- > 0;) {
    shares[i] = dot(state.moves[i], down) / dot(state.moves[i], state.changes[i]);
    add(down, -shares[i], state.changes[i]);
  }
  const auto& move = state.moves.back();
  const auto& change = state.changes.back();
  const double scale = dot(move, change) / dot(change, change);
  for (double& component : down) component *= scale;
  for (std::size_t i = 0; i < count; ++i) {
    const double share = dot(state.changes[i], down) / dot(state.moves[i], state.changes[i]);
    add(down, shares[i] - share, state.moves[i]);
  }
  return down;
}

void write(std::ofstream& stream, const std::vector<double>& values) {
  const auto size = static_cast<std::uint64_t>(values.size());
  stream.write(reinterpret_cast<const char*>(&size), sizeof size);
  stream.write(reinterpret_cast<const char*>(values.data()),
               static_cast<std::streamsize>(size * sizeof(double)));
}

bool read(std::ifstream& stream, std::vector<double>& values, std::size_t size_max) {
  std::uint64_t size = 0;
  if (!stream.read(reinterpret_cast<char*>(&size), sizeof size) || size > size_max) return false;
  values.resize(size);
  stream.read(reinterpret_cast<char*>(values.data()),
              static_cast<std::streamsize>(size * sizeof(double)));
  return static_cast<bool>(stream);
}

}  // namespace

Result<void> DescentState::save(const std::filesystem::path& path) const {
  std::filesystem::path next = path;
  next += ".next";
  std::ofstream stream(next, std::ios::binary | std::ios::trunc);
  write(stream, {static_cast<double>(steps), ended ? 1.0 : 0.0, value, slope,
                 static_cast<double>(moves.size())});
  write(stream, parameters);
  write(stream, gradient);
  for (std::size_t i = 0; i < moves.size(); ++i) {
    write(stream, moves[i]);
    write(stream, changes[i]);
  }
  write(stream, curve);
  write(stream, second_curve);
  stream.close();
  std::error_code error;
  if (stream) std::filesystem::rename(next, path, error);
  if (stream && !error) return {};
  return Error{ErrorCode::io, "cannot keep a checkpoint in the scratch folder"};
}

bool DescentState::load(const std::filesystem::path& path, std::size_t parameter_count) {
  std::ifstream stream(path, std::ios::binary);
  std::vector<double> head;
  DescentState found;
  constexpr std::size_t curve_max = 1'000'000;
  if (!stream || !read(stream, head, 5) || head.size() != 5) return false;
  found.steps = static_cast<std::int64_t>(head[0]);
  found.ended = head[1] != 0;
  found.value = head[2];
  found.slope = head[3];
  if (!read(stream, found.parameters, parameter_count)) return false;
  if (!read(stream, found.gradient, parameter_count)) return false;
  if (head[4] < 0 || head[4] > static_cast<double>(steps_remembered)) return false;
  found.moves.resize(static_cast<std::size_t>(head[4]));
  found.changes.resize(found.moves.size());
  for (std::size_t i = 0; i < found.moves.size(); ++i) {
    if (!read(stream, found.moves[i], parameter_count)) return false;
    if (!read(stream, found.changes[i], parameter_count)) return false;
  }
  if (!read(stream, found.curve, curve_max) || !read(stream, found.second_curve, curve_max)) {
    return false;
  }
  if (found.parameters.size() != parameter_count || found.gradient.size() != parameter_count) {
    return false;
  }
  *this = std::move(found);
  return true;
}

Result<double> Descent::value_at(std::span<const double> parameters,
                                 std::vector<double>& gradient) const {
  const std::vector<double> full = in_full(parameters);
  TRY(loss, measure_(full, gradient));
  for (std::size_t i = settings_.unpenalised; i < full.size(); ++i) {
    loss += 0.5 * settings_.l2 * full[i] * full[i];
    loss += settings_.l1 * std::abs(full[i]);
    gradient[i] += settings_.l2 * full[i];
  }
  for (std::size_t i = 0; i < gradient.size(); ++i) gradient[i] *= unit(i);
  return loss;
}

std::vector<double> Descent::in_full(std::span<const double> parameters) const {
  std::vector<double> full(parameters.begin(), parameters.end());
  for (std::size_t i = 0; i < full.size(); ++i) full[i] *= unit(i);
  return full;
}

std::vector<double> Descent::parameters(const DescentState& state) const {
  return in_full(state.parameters);
}

// The gradient where the absolute penalty has none: the one that leads down, 0 if none does.
std::vector<double> Descent::steepest(const DescentState& state) const {
  std::vector<double> slopes = state.gradient;
  if (settings_.l1 == 0) return slopes;
  for (std::size_t i = settings_.unpenalised; i < slopes.size(); ++i) {
    const double at = state.parameters[i];
    if (at != 0) {
      slopes[i] += at > 0 ? l1(i) : -l1(i);
    } else if (slopes[i] + l1(i) < 0) {
      slopes[i] += l1(i);
    } else if (slopes[i] - l1(i) > 0) {
      slopes[i] -= l1(i);
    } else {
      slopes[i] = 0;
    }
  }
  return slopes;
}

Result<DescentState> Descent::begin(std::size_t parameter_count) const {
  DescentState state;
  state.parameters.resize(parameter_count);
  state.gradient.resize(state.parameters.size());
  TRY(value, value_at(state.parameters, state.gradient));
  state.value = value;
  return state;
}

Result<void> Descent::step(DescentState& state) const {
  const std::vector<double> slopes = steepest(state);
  state.slope = 0;
  for (const double slope : slopes) state.slope = std::max(state.slope, std::abs(slope));
  if (!(state.slope > settings_.tolerance)) {
    state.ended = true;
    return {};
  }
  std::vector<double> down(slopes.size());
  for (std::size_t i = 0; i < down.size(); ++i) down[i] = -slopes[i];
  std::vector<double> direction = direction_of(state, down);
  for (std::size_t i = settings_.unpenalised; i < direction.size() && settings_.l1 > 0; ++i) {
    if (direction[i] * down[i] <= 0) direction[i] = 0;
  }
  double descent = dot(direction, slopes);
  if (!(descent < 0)) {
    state.moves.clear();
    state.changes.clear();
    direction = down;
    descent = dot(direction, slopes);
  }
  double length = state.moves.empty() ? std::min(1.0, 1 / std::sqrt(-descent)) : 1.0;
  std::vector<double> next(direction.size());
  std::vector<double> gradient(direction.size());
  constexpr int tries = 50;
  for (int attempt = 0; attempt < tries; ++attempt, length *= 0.5) {
    for (std::size_t i = 0; i < next.size(); ++i) {
      next[i] = state.parameters[i] + length * direction[i];
      if (settings_.l1 == 0 || !penalised(i)) continue;
      // A step ends where the sign would change: there the penalty bends.
      const double side = state.parameters[i] != 0 ? state.parameters[i] : down[i];
      if (next[i] * side <= 0) next[i] = 0;
    }
    TRY(value, value_at(next, gradient));
    double gained = 0;
    for (std::size_t i = 0; i < next.size(); ++i) {
      gained += slopes[i] * (next[i] - state.parameters[i]);
    }
    if (!(value <= state.value + 1e-4 * gained)) continue;
    std::vector<double> move = next;
    std::vector<double> change = gradient;
    add(move, -1, state.parameters);
    add(change, -1, state.gradient);
    if (dot(move, change) > 1e-12 * dot(change, change)) {
      state.moves.push_back(std::move(move));
      state.changes.push_back(std::move(change));
      if (state.moves.size() > steps_remembered) {
        state.moves.erase(state.moves.begin());
        state.changes.erase(state.changes.begin());
      }
    }
    state.parameters = std::move(next);
    state.gradient = std::move(gradient);
    state.value = value;
    ++state.steps;
    return {};
  }
  state.ended = true;  // no step of any length leads down: rounding is all that is left
  return {};
}

}  // namespace pipelined::train
