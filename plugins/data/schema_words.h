// Pieces of schema text: keys, numbers, lists and the entry of one column.
//
// Shared by inferring a schema and by changing one.  Pure functions; knows no files.
#pragma once

#include <string>

#include "plugins/data/feature_facts.h"

namespace pipelined {

/// A name as a key of TOML, quoted if it must be.
std::string toml_key(const std::string& name);
/// A text as a string of TOML.
std::string toml_text(const std::string& text);
/// A number, whole ones without a fraction.
std::string toml_number(double value);
/// The values of a column as a list, sorted; numbers of an int.
std::string toml_list(const FeatureFacts& facts);

/// The entry of one column with comments.
std::string feature_entry(const FeatureFacts& facts, bool label);

/// The lower end of Wilson's interval of the share of rows with a value, in whole hundredths.
double likely_presence(const FeatureFacts& facts);

}  // namespace pipelined
