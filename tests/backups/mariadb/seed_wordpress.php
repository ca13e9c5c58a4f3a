<?php
// Makes a small portal: four units with an editor each, back-dated posts, images with their sizes.
define('WP_INSTALLING', true);
[$posts, $images] = [(int) $argv[1], (int) $argv[2]];
require __DIR__ . '/wp-load.php';
foreach (['upgrade', 'image', 'taxonomy', 'file', 'media'] as $part) {
    require_once ABSPATH . "wp-admin/includes/$part.php";
}
wp_install('Cổng thông tin điện tử', 'admin', 'admin@example.vn', true, '', 'mật khẩu admin', 'vi');
$units = [];
foreach (['Sở Y tế', 'Sở Giáo dục', 'Sở Xây dựng', 'Văn phòng'] as $name) {
    $category = wp_insert_category(['cat_name' => $name]);
    $editor = wp_insert_user([
        'user_login' => sanitize_title($name), 'user_pass' => 'mật khẩu', 'user_email' => sanitize_title($name) . '@example.vn',
        'display_name' => $name, 'role' => 'editor',
    ]);
    $units[] = [$category, $editor];
}
for ($n = 0; $n < $posts; $n++) {
    [$category, $editor] = $units[$n % 4];
    $id = wp_insert_post([
        'post_title' => "Tin số $n: 'thông báo' \"mới\"", 'post_content' => str_repeat("<p>Nội dung bài viết $n.</p>\r\n", 40),
        'post_status' => $n % 10 ? 'publish' : 'draft', 'post_author' => $editor, 'post_category' => [$category],
        'post_date' => date('Y-m-d H:i:s', 1790000000 - $n * 86400),
    ], true);
    if (is_wp_error($id)) {
        fwrite(STDERR, $id->get_error_message());
        exit(1);
    }
}
for ($n = 0; $n < $images; $n++) {
    $image = imagecreatetruecolor(640, 480);
    imagefilledrectangle($image, 0, 0, 640, 480, imagecolorallocate($image, $n * 20 % 255, 90, 160));
    $file = wp_upload_dir()['path'] . "/anh-$n.png";
    imagepng($image, $file);
    $id = wp_insert_attachment(['post_title' => "Ảnh $n", 'post_mime_type' => 'image/png', 'post_status' => 'inherit'], $file);
    wp_update_attachment_metadata($id, wp_generate_attachment_metadata($id, $file));
}
delete_option('rewrite_rules');
