// statistics/1 as the protocol buffer DatasetFeatureStatisticsList, which TFDV and Facets read and write, and back.
//
// Source of names and numbers: tensorflow_metadata/proto/v0/statistics.proto.  What either form does not know is left
// out; docs/formats.md says what that is.  Pure functions.
#pragma once

#include <string>
#include <string_view>

#include "operators/sdk.h"

namespace pipelined {

/// The name under which TFDV looks for the whole table beside slices.
inline constexpr const char* whole_dataset = "All Examples";

/// The message for the text of a statistics.json: a data set of that name, and one a slice.  Error (invalid): the text
/// is no statistics/1.
Result<std::string> proto_of_statistics(const std::string& json, const std::string& dataset);

/// Which of a message's data sets are read, and as what.
struct ProtoChoice {
  std::string dataset;  ///< empty: the only one, or `whole_dataset` with all others as its slices
  std::string label;    ///< empty: none
};

/// The text of a statistics.json for such a message.  Error (invalid): the bytes are none, or have no such data set.
Result<std::string> statistics_of_proto(std::string_view bytes, const ProtoChoice& choice);

/// Numbers of the messages' fields.
namespace proto_fields {
enum List { list_datasets = 1 };
enum Dataset { dataset_name = 1, dataset_rows = 2, dataset_features = 3, dataset_weight = 4, dataset_cross = 5 };
enum Feature { feature_name = 1, feature_type = 2, feature_numbers = 3, feature_texts = 4, feature_bytes = 5,
               feature_custom = 6, feature_struct = 7, feature_path = 8 };
enum Type { type_int = 0, type_float = 1, type_string = 2, type_bytes = 3, type_struct = 4 };
enum Path { path_step = 1 };
enum Common { common_present = 1, common_missing = 2, common_least = 3, common_most = 4, common_mean = 5,
              common_weighted = 7, common_values = 8 };
enum WeightedCommon { weighted_present = 1, weighted_missing = 2, weighted_mean = 3, weighted_values = 4 };
enum Numbers { numbers_common = 1, numbers_mean = 2, numbers_deviation = 3, numbers_zeros = 4, numbers_min = 5,
               numbers_median = 6, numbers_max = 7, numbers_histograms = 8, numbers_weighted = 9 };
enum WeightedNumbers { weighted_number_mean = 1, weighted_number_deviation = 2, weighted_number_median = 3,
                       weighted_number_histograms = 4 };
enum Texts { texts_common = 1, texts_unique = 2, texts_top = 3, texts_length = 4, texts_ranks = 5, texts_weighted = 6 };
enum WeightedTexts { weighted_text_top = 1 };
enum Frequency { frequency_value = 2, frequency_count = 3 };
enum Bytes { bytes_common = 1, bytes_unique = 2 };
enum Struct { struct_common = 1 };
enum Histogram { histogram_nan = 1, histogram_buckets = 3, histogram_type = 4 };
enum Bucket { bucket_low = 1, bucket_high = 2, bucket_count = 4 };
enum Ranks { ranks_buckets = 1 };
enum Rank { rank_low = 1, rank_high = 2, rank_label = 4, rank_count = 5 };
enum Custom { custom_name = 1, custom_text = 3 };
enum Cross { cross_x = 1, cross_y = 2, cross_count = 3, cross_numbers = 4 };
enum CrossNumbers { cross_correlation = 1, cross_covariance = 2 };
/// A custom statistic of ours: the type, where the message has none (bool, date, time).
inline constexpr const char* custom_type_name = "type";
}  // namespace proto_fields

}  // namespace pipelined
