# Prints the ids of the configuration's tables [[SECTION]]: sh -c "..." sh SECTION [CONFIGURATION]. Looks where portalops
# looks, reads what lies beside the file too, and is silent where there is nothing; Python is not started for it.
main=$2
for each in "${PORTALOPS_CONFIG:-}" portalops.toml "${XDG_CONFIG_HOME:-$HOME/.config}/portalops/portalops.toml" \
    /etc/portalops/portalops.toml; do
    [ -n "$main" ] || { [ -n "$each" ] && [ -r "$each" ] && main=$each; }
done
[ -r "$main" ] || exit 0
case $main in */*) cd "${main%/*}" || exit 0 ;; esac
main=${main##*/}
included=$(sed -n "s/^include *= *\[\(.*\)\].*/\1/p" "$main" | tr "\"," "  ")
for each in "$main" $included conf.d/*.toml; do
    [ -r "$each" ] && awk -v section="$1" "
        BEGIN { gsub(/[.]/, \"[.]\", section) }
        /^[ \t]*[[]/ { inside = (\$0 ~ \"^[ \t]*[[][[] *\" section \" *[]][]]\"); next }
        inside && /^[ \t]*id *= *\"/ { split(\$0, part, \"\\\"\"); print part[2] }
    " "$each"
done | grep -x "[a-z0-9][a-z0-9._-]*"
