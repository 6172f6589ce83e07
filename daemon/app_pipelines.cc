#include "daemon/app_pipelines.h"

#include <utility>

#include "dag/check.h"
#include "dag/spec_toml.h"
#include "dag/spec_words.h"

namespace pipelined {
namespace {

/// Compiled versions that are kept; beyond this all are read again when they are needed.
constexpr std::size_t compiled_max = 256;

/// Counts the parts of one upload that are still on their way into the store.
struct Storing {
  std::size_t left = 0;
  std::optional<Error> error;
  std::function<void(Result<void>)> done;

  void part_done(const Result<Manifest>& stored, const Digest& expected) {
    if (!stored) {
      error = stored.error();
    } else if (stored->digest() != expected) {
      error = Error{ErrorCode::internal, "a stored file of the bundle has another digest"};
    }
    if (--left != 0) return;
    if (error) return done(error->within("store the pipeline's files"));
    done({});
  }
};

}  // namespace

PipelineShelf::PipelineShelf(Artifacts& artifacts, std::function<const OperatorSet&()> operators,
                             std::function<std::optional<Manifest>(const Digest&)> find_manifest,
                             ZoneSource* zones)
    : artifacts_(artifacts),
      operators_(std::move(operators)),
      find_manifest_(std::move(find_manifest)),
      zones_(zones) {}

Judgement PipelineShelf::judge(const BundleFiles& files, const std::string& file_name) {
  Judgement judgement = compile_files(files, file_name, zones_);
  if (judgement.pipeline) {
    if (compiled_.size() >= compiled_max) compiled_.clear();
    compiled_[judgement.pipeline->version] = judgement.pipeline;
  }
  return judgement;
}

Judgement PipelineShelf::compile_files(const BundleFiles& files, const std::string& file_name,
                                       ZoneSource* zones) {
  Judgement judgement;
  const auto refuse = [&](std::string message) {
    judgement.problems.push_back({file_name, {}, std::move(message), false});
    return judgement;
  };
  if (auto fits = check_bundle(files); !fits) return refuse(fits.error().message);
  ParsedPipeline parsed = parse_pipeline(files.at(bundle_pipeline_file), file_name, {},
                                         bundle_environment(files));
  judgement.problems = std::move(parsed.problems);
  tell_the_first(judgement.problems);
  if (!parsed.spec) return judgement;
  const auto found = check(*parsed.spec, operators_(), files, file_name, zones);
  judgement.problems.insert(judgement.problems.end(), found.begin(), found.end());
  sort_by_place(judgement.problems);
  tell_the_first(judgement.problems);
  if (has_errors(judgement.problems)) return judgement;
  auto pipeline = compile(*std::move(parsed.spec), operators_(), files, bundle_version(files));
  if (!pipeline) return refuse(pipeline.error().message);
  judgement.pipeline = programs_.with_programs(std::move(*pipeline));
  return judgement;
}

Result<BundleFiles> PipelineShelf::read_bundle(const Digest& version) {
  const auto manifest = find_manifest_(version);
  if (!manifest) {
    return Error{ErrorCode::not_found, "bundle " + version.brief() + " is not in the store"};
  }
  BundleFiles files;
  for (const ManifestFile& file : manifest->files) {
    TRY(text, artifacts_.read_file(version, file.path));
    files.emplace(file.path, std::move(text));
  }
  return files;
}

Result<std::shared_ptr<const Pipeline>> PipelineShelf::load(const Digest& version) {
  if (const auto found = compiled_.find(version); found != compiled_.end()) return found->second;
  TRY(files, read_bundle(version));
  Judgement judgement = judge(files, bundle_pipeline_file);
  if (judgement.pipeline) return judgement.pipeline;
  std::string first = "it cannot be compiled";
  for (const Diagnostic& problem : judgement.problems) {
    if (problem.warning) continue;
    first = text_of(problem);
    break;
  }
  return Error{ErrorCode::invalid, first};
}

void PipelineShelf::store(std::shared_ptr<const Pipeline> pipeline,
                          std::function<void(Result<void>)> done) {
  struct Part {
    std::string type, name;
    Digest digest;
  };
  std::map<Digest, Part> parts;  // a file that two steps read as one type is one artifact
  for (const PipelineStep& step : pipeline->steps) {
    for (const PipelineInput& input : step.inputs) {
      if (input.spec.kind != InputSpec::Kind::file) continue;
      parts[input.file.digest] = {input.file.type, input.spec.file, input.file.digest};
    }
  }
  auto storing = std::make_shared<Storing>();
  storing->left = parts.size() + 1;
  storing->done = std::move(done);
  Artifacts::TextFiles files(pipeline->files.begin(), pipeline->files.end());
  artifacts_.put_tree(bundle_type, std::move(files),
                      [storing, version = pipeline->version](Result<Manifest> stored) {
                        storing->part_done(stored, version);
                      });
  for (const auto& [digest, part] : parts) {
    artifacts_.put_text(part.type, part.name, pipeline->files.at(part.name),
                        [storing, wanted = digest](Result<Manifest> stored) {
                          storing->part_done(stored, wanted);
                        });
  }
}

}  // namespace pipelined
