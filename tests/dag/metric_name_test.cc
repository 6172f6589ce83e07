#include "dag/metric_name.h"

#include <catch2/catch.hpp>

using namespace pipelined;

TEST_CASE("metric name: with and without a slice", "[dag]") {
  CHECK(MetricName::parse("auc") == MetricName{"auc", ""});
  CHECK(MetricName::parse("evaluate.auc[carrier=UA]") == MetricName{"evaluate.auc", "carrier=UA"});
  CHECK(MetricName::parse("auc[a=x[1], b=2]") == MetricName{"auc", "a=x[1], b=2"});
  CHECK(MetricName::parse("auc[") == MetricName{"auc[", ""});
  CHECK(MetricName::parse("") == MetricName{});
}

TEST_CASE("metric name: commas within brackets part nothing", "[dag]") {
  CHECK(split_names("run,metrics.auc[sex=f, age=up to 25],state") ==
        std::vector<std::string>{"run", "metrics.auc[sex=f, age=up to 25]", "state"});
  CHECK(split_names(",a,,b,") == std::vector<std::string>{"a", "b"});
  CHECK(split_names("a[b,c") == std::vector<std::string>{"a[b,c"});
  CHECK(split_names("").empty());
}
