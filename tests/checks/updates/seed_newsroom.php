<?php
// The newsroom of a portal, with posts in every state, and what its editors do on a later day. Prints nothing.
$step = $argv[1];
if ($step === 'install') {
    define('WP_INSTALLING', true);
}
require __DIR__ . '/wp-load.php';
foreach (['upgrade', 'taxonomy', 'post'] as $part) {
    require_once ABSPATH . "wp-admin/includes/$part.php";
}

function when(int $days): string { // so many days ago, by the portal's own clock
    return (new DateTime("now", new DateTimeZone('Asia/Ho_Chi_Minh')))->modify("-$days days")->format('Y-m-d H:i:s');
}

function body(string $title): string { // no two titles have a text with more than some words in common
    $words = explode(' ', 'tỉnh xã huyện trường học bệnh viện đường cầu biển rừng lúa cá gạo nước điện chợ làng núi sông đảo mưa nắng gió bão');
    $text = "<p>Nội dung của bài &quot;$title&quot;, đăng cho bạn đọc.</p>\r\n";
    for ($place = 0; $place < 120; $place++) {
        $text .= $words[crc32("$title $place") % count($words)] . ($place % 12 === 11 ? ".<br>\r\n" : ' ');
    }
    return $text;
}

function post(string $title, string $unit, array $more = []): int {
    $id = wp_insert_post($more + [
        'post_title' => $title, 'post_status' => 'publish', 'post_author' => get_user_by('login', 'bien-tap')->ID,
        'post_content' => body($title),
        'post_category' => [get_term_by('slug', $unit, 'category')->term_id],
    ], true);
    if (is_wp_error($id)) {
        fwrite(STDERR, $id->get_error_message());
        exit(1);
    }
    return $id;
}

if ($step === 'install') {
    wp_install('Cổng thông tin điện tử', 'admin', 'admin@example.vn', true, '', 'mật khẩu admin', 'vi');
    update_option('timezone_string', 'Asia/Ho_Chi_Minh');
    update_option('posts_per_rss', 50);
    update_option('permalink_structure', '/%postname%/');
    $parent = wp_insert_category(['cat_name' => 'Đơn vị', 'category_nicename' => 'don-vi']);
    foreach (['so-y-te' => 'Sở Y tế', 'so-tu-phap' => 'Sở Tư pháp'] as $slug => $name) {
        wp_insert_category(['cat_name' => $name, 'category_nicename' => $slug, 'category_parent' => $parent]);
    }
    wp_insert_user([
        'user_login' => 'bien-tap', 'user_pass' => 'mật khẩu', 'user_email' => 'bien-tap@example.vn',
        'display_name' => 'Sở Tư pháp', 'role' => 'administrator',
    ]);
    delete_option('rewrite_rules');
} elseif ($step === 'first') {
    wp_delete_post(1, true); // the post that an installation brings along
    foreach ([3, 5, 8, 12, 20] as $days) {
        post("Y tế $days", 'so-y-te', ['post_date' => when($days)]);
    }
    post('Tư pháp 4', 'so-tu-phap', ['post_date' => when(4)]);
    post('Nháp', 'so-y-te', ['post_status' => 'draft']);
    post('Chờ duyệt', 'so-y-te', ['post_status' => 'pending']);
    post('Nội bộ', 'so-y-te', ['post_status' => 'private']);
    post('Hẹn giờ', 'so-y-te', ['post_date' => when(-3)]); // WordPress makes its state future
    post('Có mật khẩu', 'so-y-te', ['post_password' => 'bí mật']);
    wp_trash_post(post('Bỏ đi', 'so-y-te'));
    post('Trang', 'so-y-te', ['post_type' => 'page']);
} else {
    post('Tin mới đăng', 'so-y-te');
    post('Tin lùi ngày', 'so-y-te', ['post_date' => when(10)]);
    $old = get_page_by_path('y-te-20', OBJECT, 'post');
    $now = when(0);
    wp_update_post(['ID' => $old->ID, 'post_date' => $now, 'post_date_gmt' => get_gmt_from_date($now), 'edit_date' => true]);
}
