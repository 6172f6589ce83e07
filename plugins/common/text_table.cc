#include "plugins/common/text_table.h"

#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <arrow/util/utf8.h>

#include <algorithm>
#include <filesystem>

#include "plugins/common/delimited_rows.h"
#include "plugins/common/json_rows.h"
#include "plugins/common/ordered_work.h"
#include "plugins/common/row_blocks.h"
#include "plugins/common/text_columns.h"

namespace pipelined {
namespace {

std::string file_name(const std::string& path) {
  return std::filesystem::path(path).filename().string();
}

std::string as_utf8(std::string_view text) {
  if (arrow::util::ValidateUTF8(text)) return std::string(text);
  std::string plain(text);
  for (char& c : plain) {
    if (static_cast<unsigned char>(c) >= 0x80) c = '?';
  }
  return plain;
}

/// Which column of the table each column of a file is; text files of one delivery must agree.
Result<std::vector<std::size_t>> places_of(const std::vector<std::string>& columns,
                                           const std::vector<std::string>& table,
                                           const std::string& path) {
  std::vector<std::size_t> places;
  for (const std::string& column : columns) {
    const auto found = std::find(table.begin(), table.end(), column);
    if (found == table.end()) {
      return Error{ErrorCode::invalid, file_name(path) + ": column '" + column +
                                           "' is not in the first file of this delivery"};
    }
    places.push_back(static_cast<std::size_t>(found - table.begin()));
  }
  return places;
}

Result<void> check_header(const std::vector<std::string>& columns,
                          const std::vector<std::string>& table, const std::string& path) {
  TRY_VOID(places_of(columns, table, path));
  for (const std::string& column : table) {
    if (std::find(columns.begin(), columns.end(), column) == columns.end()) {
      return Error{ErrorCode::invalid, file_name(path) + " has no column '" + column +
                                           "', which the first file of this delivery has"};
    }
  }
  return {};
}

/// A piece of a file.
struct Block {
  std::size_t file = 0;
  std::int64_t header_lines = 0;
  std::vector<std::string> columns;  ///< of delimited text: those of the file
  std::string text;
};

/// What a piece was made into; lines of bad rows count from the beginning of the piece.
struct Worked {
  std::size_t file = 0;
  std::int64_t header_lines = 0, lines = 0;
  std::vector<RejectedRow> bad;
  std::vector<std::string> columns;
  std::vector<TypeGuess> guesses;
  std::shared_ptr<arrow::RecordBatch> batch;
};

/// Gives the pieces of all files in order.
class Blocks {
 public:
  Blocks(const std::vector<std::string>& files, const TextTableOptions& options,
         const std::optional<Dialect>& dialect)
      : files_(files), options_(options), dialect_(dialect) {}

  Result<bool> next(Block& block) {
    for (;;) {
      if (!open_) {
        if (next_file_ == files_.size()) return false;
        TRY_VOID(open_file(files_[next_file_++]));
      }
      TRY(more, open_->next(block.text));
      block.file = next_file_ - 1;
      block.header_lines = open_->header_lines();
      block.columns = columns_;
      if (more) return true;
      open_.reset();
    }
  }

 private:
  Result<void> open_file(const std::string& path) {
    TRY(blocks, RowBlocks::open(path, options_.encoding, dialect_));
    open_ = std::move(blocks);
    if (!dialect_) return {};
    TRY(columns, open_->begin(options_.dialect.columns));
    if (first_columns_.empty()) first_columns_ = columns;
    TRY_VOID(check_header(columns, first_columns_, path));
    columns_ = std::move(columns);
    return {};
  }

  const std::vector<std::string>& files_;
  const TextTableOptions& options_;
  const std::optional<Dialect>& dialect_;
  std::size_t next_file_ = 0;
  std::optional<RowBlocks> open_;
  std::vector<std::string> columns_, first_columns_;
};

/// Goes through the rows of a piece: `take(row, columns)` says what is wrong with a good-looking row.
/// Without quarantine the first bad row ends it.
template <class Rows, class Take>
Result<void> each_row(Rows& rows, const Block& block, const TextTableOptions& options,
                      const std::vector<std::string>& columns, Worked& worked, const Take& take) {
  TextRow row;
  while (rows.next(row)) {
    RowProblem problem{row.problem_column, row.problem};
    if (problem.reason.empty()) {
      TRY(refusal, take(row, columns));
      problem = std::move(refusal);
    }
    if (problem.reason.empty()) continue;
    worked.bad.push_back({"", row.line, std::move(problem.column), std::move(problem.reason),
                          as_utf8(row.raw)});
    if (!options.quarantine) break;
  }
  worked.file = block.file;
  worked.header_lines = block.header_lines;
  worked.lines = rows.lines();
  return {};
}

template <class Take>
Result<void> each_row(const Block& block, const TextTableOptions& options,
                      const std::optional<Dialect>& dialect, Worked& worked, const Take& take) {
  if (dialect) {
    DelimitedRows rows(block.text, options.encoding, *dialect, block.columns.size());
    worked.columns = block.columns;
    return each_row(rows, block, options, worked.columns, worked, take);
  }
  JsonRows rows(block.text, options.encoding);
  TRY_VOID(each_row(rows, block, options, rows.columns(), worked, take));
  worked.columns = rows.columns();
  return {};
}

/// Gives bad rows their file and the line in it.  REQUIRES: pieces come in order.
class Lines {
 public:
  explicit Lines(const std::vector<std::string>& files) : files_(files) {}

  void place(Worked& worked) {
    if (worked.file != file_) {
      file_ = worked.file;
      before_ = worked.header_lines;
    }
    for (RejectedRow& row : worked.bad) {
      row.file = file_name(files_[file_]);
      row.line += before_;
    }
    before_ += worked.lines;
  }

 private:
  const std::vector<std::string>& files_;
  std::size_t file_ = static_cast<std::size_t>(-1);
  std::int64_t before_ = 0;
};

/// A guess for each column of a piece; columns whose type is stated are passed over.
Result<Worked> guess_types(const Block& block, const TextTableOptions& options,
                           const std::optional<Dialect>& dialect) {
  Worked worked;
  std::vector<bool> stated;
  const auto take = [&](const TextRow& row, const std::vector<std::string>& columns) {
    while (stated.size() < columns.size()) {
      const std::string& column = columns[stated.size()];
      stated.push_back(options.types.contains(column) || options.known.contains(column));
      worked.guesses.emplace_back();
    }
    for (std::size_t i = 0; i < row.cells.size(); ++i) {
      if (stated[i] || is_null(row.cells[i], options.null_words)) continue;
      if (row.cells[i].kind == TextCell::Kind::text) {
        worked.guesses[i].add_text();
      } else {
        worked.guesses[i].add(row.cells[i].text);
      }
    }
    return Result<RowProblem>(RowProblem{});
  };
  TRY_VOID(each_row(block, options, dialect, worked, take));
  worked.guesses.resize(worked.columns.size());
  return worked;
}

/// The columns of all pieces with their guesses.
struct Survey {
  std::vector<std::string> columns;
  std::vector<TypeGuess> guesses;

  void add(const Worked& worked) {
    for (std::size_t i = 0; i < worked.columns.size(); ++i) {
      const auto known = std::find(columns.begin(), columns.end(), worked.columns[i]);
      const auto place = static_cast<std::size_t>(known - columns.begin());
      if (known == columns.end()) {
        columns.push_back(worked.columns[i]);
        guesses.emplace_back();
      }
      if (i < worked.guesses.size()) guesses[place].merge(worked.guesses[i]);
    }
  }
};

}  // namespace

std::string sentence_of(const RejectedRow& row) {
  constexpr std::size_t shown_max = 120;
  std::string text = row.text;
  if (text.size() > shown_max) {
    std::size_t end = shown_max;
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
    text = text.substr(0, end) + "…";
  }
  return row.file + " line " + std::to_string(row.line) + ": " + row.reason + ": '" + text + "'";
}

Result<std::optional<ColumnType>> declared_type(const TextTableOptions& options,
                                                const std::string& column) {
  for (const auto* types : {&options.types, &options.known}) {
    const auto stated = types->find(column);
    if (stated != types->end()) return std::optional(stated->second);
  }
  if (options.infer) return std::optional<ColumnType>();
  return Error{ErrorCode::invalid, "column '" + column + "' has no declared type, and infer is off: "
                                       "add types." + column + " or leave the column out of the "
                                       "delivery"};
}

Result<TextTable> TextTable::open(std::vector<std::string> files, TextTableOptions options) {
  TextTable table;
  Survey survey;
  if (options.format == TextFormat::delimited && !files.empty()) {
    TRY(dialect, find_dialect(files.front(), options.encoding, options.dialect));
    table.dialect_ = dialect;
    TRY(first, RowBlocks::open(files.front(), options.encoding, dialect));
    TRY(columns, first.begin(options.dialect.columns));
    survey.columns = std::move(columns);
    survey.guesses.resize(survey.columns.size());
  }
  bool settled = !survey.columns.empty();
  for (const std::string& column : survey.columns) {
    TRY(type, declared_type(options, column));
    settled = settled && type.has_value();
  }
  if (!settled) {
    Blocks blocks(files, options, table.dialect_);
    Lines lines(files);
    TRY_VOID(ordered_work<Block>(
        options.threads, [&](Block& block) { return blocks.next(block); },
        [&](const Block& block) { return guess_types(block, options, table.dialect_); },
        [&](Worked worked) -> Result<void> {
          lines.place(worked);
          if (!options.quarantine && !worked.bad.empty()) {
            return Error{ErrorCode::invalid, sentence_of(worked.bad.front())};
          }
          survey.add(worked);
          return {};
        }));
  }
  TRY_VOID(table.settle(survey.columns, survey.guesses, options, files));
  table.files_ = std::move(files);
  table.options_ = std::move(options);
  return table;
}

Result<void> TextTable::settle(const std::vector<std::string>& columns,
                               const std::vector<TypeGuess>& guesses,
                               const TextTableOptions& options,
                               const std::vector<std::string>& files) {
  const std::string first = files.empty() ? "the delivery" : file_name(files[0]);
  arrow::FieldVector fields;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    TRY(stated, declared_type(options, columns[i]));
    types_.push_back(stated ? *stated : guesses[i].result());
    fields.push_back(arrow::field(columns[i], arrow_type_of(types_.back())));
  }
  for (const auto& [column, type] : options.types) {
    if (std::find(columns.begin(), columns.end(), column) == columns.end()) {
      return Error{ErrorCode::invalid, "types." + column + ": there is no such column in " + first};
    }
  }
  if (fields.empty()) {
    return Error{ErrorCode::invalid, first + " is empty: at least one row is expected"};
  }
  schema_ = arrow::schema(std::move(fields));
  return {};
}

Result<void> TextTable::read(const BatchSink& sink, const RejectSink& rejected) {
  const std::vector<std::string> names = schema_->field_names();
  Blocks blocks(files_, options_, dialect_);
  Lines lines(files_);
  const auto convert = [&](const Block& block) -> Result<Worked> {
    Worked worked;
    TextColumns columns(schema_, types_, options_.null_words);
    TRY_VOID(columns.begin());
    std::vector<std::size_t> places;
    const auto take = [&](const TextRow& row,
                          const std::vector<std::string>& of_row) -> Result<RowProblem> {
      if (places.size() < row.cells.size()) {
        TRY(found, places_of(of_row, names, files_[block.file]));
        places = std::move(found);
      }
      return columns.add(row, places);
    };
    TRY_VOID(each_row(block, options_, dialect_, worked, take));
    TRY(batch, columns.finish());
    worked.batch = std::move(batch);
    return worked;
  };
  return ordered_work<Block>(
      options_.threads, [&](Block& block) { return blocks.next(block); }, convert,
      [&](Worked worked) -> Result<void> {
        lines.place(worked);
        if (!options_.quarantine && !worked.bad.empty()) {
          return Error{ErrorCode::invalid, sentence_of(worked.bad.front())};
        }
        for (const RejectedRow& row : worked.bad) TRY_VOID(rejected(row));
        return worked.batch ? sink(std::move(worked.batch)) : Result<void>();
      });
}

}  // namespace pipelined
