# cmake -DOUTPUT=file.cpp -DPROMPTS="a.md;b.md" -P embed_prompts.cmake: the prompt files as a table in C++.
set(entries "")
foreach(prompt IN LISTS PROMPTS)
  get_filename_component(name "${prompt}" NAME_WE)
  file(READ "${prompt}" text)
  string(APPEND entries "    {\"${name}\", R\"chimera_prompt(${text})chimera_prompt\"},\n")
endforeach()
file(WRITE "${OUTPUT}" "#include \"workload/prompt_template.hpp\"

namespace chimera::host {

const std::vector<builtin_prompt>& builtin_prompts() {
    static const std::vector<builtin_prompt> prompts{
${entries}    };
    return prompts;
}

} // namespace chimera::host
")
