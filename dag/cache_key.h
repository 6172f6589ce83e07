// The key of a step: a canonical text of all that decides its outputs, and its SHA-256.
//
// One traversal writes the text; the key is its digest and `explain` compares two texts line by
// line, so the explanation cannot disagree with the key.  Never in it: run, pipeline, step name,
// attempt, path, host, time.  Pure.
#pragma once

#include <string>
#include <vector>

#include "dag/engine.h"
#include "dag/pipeline.h"
#include "dag/records.h"

namespace pipelined {

/// The key text of a step with these resolved parameters and inputs:
/// `operator ID BEHAVIOUR`, `library NAME VERSION`…, `command ARGV` and `out PORT TYPE`… where the
/// step declares its outputs, `param DOTTED.NAME VALUE`… (without those equal to their default),
/// `in PORT COUNT DIGEST…`, `seed N`, `salt "…"`; one a line, each group sorted.
std::string key_text(const PipelineStep& step, const ValueTable& params,
                     const std::vector<PortInputs>& inputs);

/// What a policy's acceptance of a halt is recorded under: it holds for that key in that pipeline,
/// where the remedy is read, and nowhere else.
Digest policy_key(const std::string& pipeline, const Digest& key);

/// What differs between two key texts: one detail a changed line, in the order of `after`.
std::vector<ReasonDetail> key_difference(const std::string& before, const std::string& after);

/// Puts an operator's default where a parameter stands in one text alone: one equal to its default
/// is left out of the key, but to a person it has a value.
void name_defaults(std::vector<ReasonDetail>& details, const OperatorInfo& info);

/// Why a step runs, given what differs from its nearest earlier result: code and sentence.
Reason miss_reason(const std::vector<ReasonDetail>& differences, RunNumber earlier_run);

/// A digest of how the step and all its ancestors are defined (operator, parameters, wiring): equal
/// definitions on equal data do the same.  `parents` are the definitions of `step.parents`.
Digest definition_digest(const PipelineStep& step, const ValueTable& params,
                         const std::vector<Digest>& parents);

}  // namespace pipelined
