# SPDX-License-Identifier: LGPL-2.1-or-later
# Completion of aimlvideo(1) for bash. What there is to complete, the program itself says.

_aimlvideo() {
  # bash divides words at = and :, the program does not
  local -a words=()
  local word joined=
  for word in "${COMP_WORDS[@]:1:COMP_CWORD}"; do
    if [[ $joined || $word == [=:]* ]] && ((${#words[@]})); then
      words[-1]+=$word
    else
      words+=("$word")
    fi
    [[ $word == *[=:] ]] && joined=yes || joined=
  done
  ((${#words[@]})) || words=("")

  # what of the last word is not replaced
  local last=${words[-1]} kept= line
  [[ $last == --*=* ]] && last=${last#*=}
  [[ $last == *:* && $COMP_WORDBREAKS == *:* ]] && kept=${last%"${last##*:}"}
  COMPREPLY=()
  while IFS= read -r line; do
    case $line in
      :files)
        compopt -o filenames
        mapfile -t COMPREPLY < <(compgen -f -- "$last")
        ;;
      :folders)
        compopt -o filenames
        mapfile -t COMPREPLY < <(compgen -d -- "$last")
        ;;
      *)
        line=${line%%$'\t'*}
        COMPREPLY+=("${line#"$kept"}")
        ;;
    esac
  done < <("$1" complete -- "${words[@]}" 2>/dev/null)
}

complete -F _aimlvideo aimlvideo
