#include "result/campaign_result.hpp"

#include <fmt/format.h>

namespace chimera::host {

std::string in_words(const alert_result& a) {
    const std::string unit = a.unit.empty() ? "" : ' ' + a.unit;
    const std::string value = a.value ? fmt::format("{:.4g}{}", *a.value, unit) : "not measured";
    return fmt::format("{}: {}, the limit is {:g}{}", a.alert, value, a.limit, unit);
}

} // namespace chimera::host
