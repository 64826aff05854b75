// Android: capture for one session, as source to paste. The backend opened the session; the app got its id and client
// token, and nothing else. Uses CameraX (androidx.camera:camera-*) and OkHttp.
//
// This posts one burst, with all steps told at once. For steps told one at a time, open the hosted page of
// `capture_url` in a Custom Tab instead, or speak the WebSocket of docs/streaming.md.
package com.example.shop.face

import androidx.camera.core.ImageCapture
import androidx.camera.core.ImageCaptureException
import androidx.camera.core.ImageProxy
import java.util.concurrent.Executor
import kotlin.coroutines.resume
import kotlin.coroutines.resumeWithException
import kotlin.coroutines.suspendCoroutine
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.delay
import kotlinx.coroutines.withContext
import okhttp3.MediaType.Companion.toMediaType
import okhttp3.MultipartBody
import okhttp3.OkHttpClient
import okhttp3.Request
import okhttp3.RequestBody.Companion.toRequestBody
import org.json.JSONArray
import org.json.JSONObject

data class Step(val id: String, val kind: String, val minMs: Long, val colours: List<Pair<String, Long>>)

/** What the device learns, and all it learns: a denial has no reason here, so show none. */
enum class Outcome { ACCEPTED, DENIED, AGAIN }

class FaceCapture(private val service: String, private val session: String, private val clientToken: String) {
    private val http = OkHttpClient()

    /** What the session wants to see. Left and right are the person's own. */
    suspend fun steps(): List<Step> = withContext(Dispatchers.IO) {
        val request = request("challenge").get().build()
        http.newCall(request).execute().use { answer ->
            check(answer.isSuccessful) { "The session is over. Ask for a new one." }
            val steps = JSONObject(answer.body!!.string()).getJSONArray("steps")
            (0 until steps.length()).map { read(steps.getJSONObject(it)) }
        }
    }

    private fun read(step: JSONObject): Step {
        val told = step.optJSONArray("colours") ?: JSONArray()
        val colours = (0 until told.length()).map { told.getJSONObject(it) }
        return Step(
            step.getString("id"),
            step.getString("kind"),
            step.optLong("min_ms", 600),
            colours.map { it.getString("rgb") to it.getLong("ms") },
        )
    }

    /**
     * Films every step and posts it. Call it after the person pressed a button: the camera starts by their act.
     *
     * @param show tells the person what to do now, and fills the screen with a colour while one is given
     */
    suspend fun run(camera: ImageCapture, executor: Executor, show: (Step, String?) -> Unit): Outcome {
        val frames = mutableListOf<ByteArray>()
        val timeline = JSONArray()
        val began = System.nanoTime()
        for (step in steps()) {
            val colours = step.colours.ifEmpty { listOf<Pair<String?, Long>>(null to maxOf(step.minMs, 1000L)) }
            for ((rgb, ms) in colours) {
                show(step, rgb)
                val until = System.nanoTime() + ms * 1_000_000
                while (System.nanoTime() < until && frames.size < MOST_FRAMES) {
                    val at = (System.nanoTime() - began) / 1_000_000
                    frames += jpeg(camera, executor)
                    timeline.put(JSONObject().put("step", step.id).put("t_ms", at))
                    delay(PAUSE_MS)
                }
            }
        }
        return post(frames, timeline)
    }

    private suspend fun jpeg(camera: ImageCapture, executor: Executor): ByteArray = suspendCoroutine { go ->
        camera.takePicture(executor, object : ImageCapture.OnImageCapturedCallback() {
            override fun onCaptureSuccess(image: ImageProxy) = image.use {
                val buffer = it.planes[0].buffer
                go.resume(ByteArray(buffer.remaining()).also(buffer::get))
            }

            override fun onError(error: ImageCaptureException) = go.resumeWithException(error)
        })
    }

    private suspend fun post(frames: List<ByteArray>, timeline: JSONArray): Outcome = withContext(Dispatchers.IO) {
        // t_ms counts from the first frame.
        val first = timeline.getJSONObject(0).getLong("t_ms")
        for (at in 0 until timeline.length()) {
            timeline.getJSONObject(at).let { it.put("t_ms", it.getLong("t_ms") - first) }
        }
        val body = MultipartBody.Builder().setType(MultipartBody.FORM)
        frames.forEachIndexed { at, frame ->
            body.addFormDataPart("frames", "$at.jpg", frame.toRequestBody("image/jpeg".toMediaType()))
        }
        body.addFormDataPart("timeline", timeline.toString())
        http.newCall(request("frames").post(body.build()).build()).execute().use { answer ->
            if (!answer.isSuccessful) return@withContext Outcome.DENIED
            when (JSONObject(answer.body!!.string()).getString("state")) {
                "accepted" -> Outcome.ACCEPTED
                "open" -> Outcome.AGAIN // its `guidance` says what to do better
                else -> Outcome.DENIED
            }
        }
    }

    private fun request(what: String) = Request.Builder()
        .url("$service/v1/sessions/$session/$what")
        .header("Authorization", "Bearer $clientToken")

    private companion object {
        const val MOST_FRAMES = 90 // the service's default cap
        const val PAUSE_MS = 70L // some twelve frames a second
    }
}
