# SPDX-License-Identifier: LGPL-2.1-or-later
# Completion of aimlvideo(1) for fish. What there is to complete, the program itself says.

function __aimlvideo_complete
    set -l words (commandline -opc)
    set -l program $words[1]
    set -e words[1]
    set -l typed (commandline -ct)
    # fish takes values with the --NAME= before them
    set -l prefix (string match -r -- '^--[^=]*=' $typed)
    set -l value (string replace -- "$prefix" '' $typed)
    for line in (command $program complete -- $words "$typed" 2>/dev/null)
        switch $line
            case :files
                for path in (__fish_complete_path "$value")
                    printf '%s\n' "$prefix$path"
                end
            case :folders
                for path in (__fish_complete_directories "$value")
                    printf '%s\n' "$prefix$path"
                end
            case '*'
                printf '%s\n' "$prefix$line"
        end
    end
end

complete -c aimlvideo -f -k -a '(__aimlvideo_complete)'
