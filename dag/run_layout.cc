#include "dag/run_layout.h"

#include "dag/span_pattern.h"

namespace pipelined {
namespace {

bool selected(const SpanSelection& selection, const RunSpan& span) {
  if (!span.left_out.empty()) return false;
  switch (selection.kind) {
    case SpanSelection::Kind::only_new: return span.fresh;
    case SpanSelection::Kind::range:
      return span_in_range(span.span, selection.first, selection.last);
    case SpanSelection::Kind::all:
    case SpanSelection::Kind::last: return true;
  }
  return true;
}

std::vector<SpanIndex> elements_of(const RunRow& row, const std::string& source,
                                   const SpanSelection& selection) {
  std::vector<SpanIndex> elements;
  for (SpanIndex i = 0; i < row.spans.size(); ++i) {
    if (row.spans[i].source == source && selected(selection, row.spans[i])) elements.push_back(i);
  }
  const auto wanted = static_cast<std::size_t>(selection.count);
  if (selection.kind == SpanSelection::Kind::last && elements.size() > wanted) {
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
    elements[s] = foreach.is_source ? elements_of(run, foreach.of, foreach.spans)
                                    : elements[pipeline.find(foreach.of)];
  }
  return elements;
}

}  // namespace pipelined
