// Small tables for tests of operators: columns by name, written as examples/1.
//
// Header-only.  Wherever a value is nothing, the column has a null.  One thread.
#pragma once

#include <arrow/builder.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>

#include <catch2/catch.hpp>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "plugins/common/examples.h"

namespace pipelined::testing {

class ExamplesMaker {
 public:
  template <class T>
  using Column = std::vector<std::optional<T>>;

  ExamplesMaker& words(const std::string& name, const Column<std::string>& values) {
    return add<arrow::StringBuilder>(name, arrow::utf8(), values);
  }
  ExamplesMaker& integers(const std::string& name, const Column<std::int64_t>& values) {
    return add<arrow::Int64Builder>(name, arrow::int64(), values);
  }
  ExamplesMaker& numbers(const std::string& name, const Column<double>& values) {
    return add<arrow::DoubleBuilder>(name, arrow::float64(), values);
  }
  ExamplesMaker& flags(const std::string& name, const Column<bool>& values) {
    return add<arrow::BooleanBuilder>(name, arrow::boolean(), values);
  }
  ExamplesMaker& dates(const std::string& name, const Column<std::int32_t>& values) {
    return add<arrow::Date32Builder>(name, arrow::date32(), values);
  }

  /// Makes the folder and writes all rows, or those from `begin` up to `end`, into it.
  std::filesystem::path write(const std::filesystem::path& folder, std::int64_t begin = 0,
                              std::int64_t end = -1) const {
    std::filesystem::create_directories(folder);
    const auto schema = arrow::schema(fields_);
    const auto batch = arrow::RecordBatch::Make(schema, arrays_.front()->length(), arrays_);
    auto writer = ExamplesWriter::create(folder.string(), schema);
    REQUIRE(writer);
    REQUIRE(writer->write(batch->Slice(begin, (end < 0 ? batch->num_rows() : end) - begin)));
    REQUIRE(writer->close());
    return folder;
  }

 private:
  template <class Builder, class T>
  ExamplesMaker& add(const std::string& name, std::shared_ptr<arrow::DataType> type,
                     const Column<T>& values) {
    Builder builder;
    bool good = true;
    for (const auto& value : values) {
      good = (value ? builder.Append(*value) : builder.AppendNull()).ok() && good;
    }
    REQUIRE(good);
    fields_.push_back(arrow::field(name, std::move(type)));
    arrays_.push_back(builder.Finish().ValueOrDie());
    return *this;
  }

  arrow::FieldVector fields_;
  arrow::ArrayVector arrays_;
};

}  // namespace pipelined::testing
