#include "dag/run_layout.h"

#include <algorithm>

#include "dag/span_pattern.h"

namespace pipelined {
namespace {

// A run that names its spans overrules "new" and "last N", not the bounds of a range.
bool selected(const RunOptions& options, const SpanSelection& selection, const RunSpan& span) {
  if (!span.left_out.empty()) return false;
  if (!options.spans.empty() && selection.kind != SpanSelection::Kind::range) return true;
  switch (selection.kind) {
    case SpanSelection::Kind::only_new: return span.fresh;
    case SpanSelection::Kind::range:
      return span_in_range(span.span, selection.first, selection.last);
    case SpanSelection::Kind::all:
    case SpanSelection::Kind::last: return true;
  }
  return true;
}

// A run that names some spans of a source has no elements for its others; those of before are still
// there for `span = -1`.
bool takes_part(const RunOptions& options, const RunSpan& span) {
  if (options.spans.empty() || span.source != options.source) return true;
  return std::find(options.spans.begin(), options.spans.end(), span.span) != options.spans.end();
}

std::vector<SpanIndex> elements_of(const RunRow& row, const std::string& source,
                                   const SpanSelection& selection) {
  std::vector<SpanIndex> elements;
  for (SpanIndex i = 0; i < row.spans.size(); ++i) {
    if (row.spans[i].source != source || !takes_part(row.options, row.spans[i])) continue;
    if (selected(row.options, selection, row.spans[i])) elements.push_back(i);
  }
  const auto wanted = static_cast<std::size_t>(selection.count);
  const bool cut = row.options.spans.empty() && selection.kind == SpanSelection::Kind::last;
  if (cut && elements.size() > wanted) {
    elements.erase(elements.begin(), elements.end() - static_cast<std::ptrdiff_t>(wanted));
  }
  return elements;
}

}  // namespace

std::vector<std::vector<SpanIndex>> run_elements(const Pipeline& pipeline, const RunRow& run) {
  std::vector<std::vector<SpanIndex>> elements(pipeline.steps.size());
  for (StepIndex s = 0; s < pipeline.steps.size(); ++s) {
    const PipelineStep& step = pipeline.steps[s];
    if (!step.spec.foreach) {
      elements[s] = {no_span};
      continue;
    }
    const ForeachSpec& foreach = *step.spec.foreach;
    const StepIndex of = foreach.is_source ? no_step : pipeline.find(foreach.of);
    if (foreach.is_source) {
      elements[s] = elements_of(run, foreach.of, foreach.spans);
    } else if (pipeline.steps[of].spec.generates) {
      elements[s] = elements_of(run, step.fan_source, {});
    } else {
      elements[s] = elements[of];
    }
  }
  return elements;
}

}  // namespace pipelined
